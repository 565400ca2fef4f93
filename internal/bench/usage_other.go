//go:build !unix

package main

import (
	"math"
	"time"
)

// processorTime is not known here.
func processorTime() time.Duration { return 0 }

// mostFiles is not known here.
func mostFiles() int { return math.MaxInt }
