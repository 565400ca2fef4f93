package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/skynetgo/skynet/cluster"
)

// endpoint is a cluster.Resolver: a URL that answers {"db": "127.0.0.1:2528"}.
type endpoint string

// Resolve gets the table. ctx ends with the service that wants it, and at its
// deadline.
func (url endpoint) Resolve(ctx context.Context) (cluster.Table, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, string(url), nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the endpoint says %s", resp.Status)
	}
	var table cluster.Table
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&table); err != nil {
		return nil, err
	}
	return table, nil
}

// registry is the other side: what it answers can be changed.
type registry struct {
	text  atomic.Value // a string; "" is a failure
	asked atomic.Int64
}

func (r *registry) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	r.asked.Add(1)
	if text, _ := r.text.Load().(string); text != "" {
		_, _ = io.WriteString(w, text)
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
}
