package actor

import (
	"fmt"
	"sync"
)

// env is the node's environment (skynet_env.c): text by key, written once.
type env struct {
	mu   sync.RWMutex
	vars map[string]string
}

func (e *env) get(key string) (string, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	v, ok := e.vars[key]
	return v, ok
}

func (e *env) set(key, value string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.vars[key]; ok {
		return fmt.Errorf("%w: Can't setenv exist key : %s", ErrEnvExists, key)
	}
	if e.vars == nil {
		e.vars = make(map[string]string)
	}
	e.vars[key] = value
	return nil
}
