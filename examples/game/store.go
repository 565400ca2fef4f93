package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Player is what is kept of a player. It goes between nodes as a Lua table, so
// that a Lua node may keep it.
type Player struct {
	Name  string  `lua:"name"`
	Score int     `lua:"score"`
	N     int     `lua:"n"` // the last move
	X     float64 `lua:"x"`
	Y     float64 `lua:"y"`
}

// merge returns what is newer of two states of a player. Two rooms may tell of
// one for a moment, when he has fled from the one to the other.
func (p Player) merge(q Player) Player {
	if q.N < p.N {
		p, q = q, p
	}
	q.Score = max(p.Score, q.Score)
	return q
}

// store keeps players. Its methods block; any goroutine may call them.
type store interface {
	load(name string) (Player, error) // the zero score of one that is new
	save(players []Player) error      // all or none, for good when it returns
	remove(players []Player) error    // those of whom it has nothing newer
	all(f func(Player)) error
	close() error
}

var bucket = []byte("players")

// boltStore is a store in one file.
type boltStore struct{ db *bbolt.DB }

func openBolt(path string) (store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if errors.Is(err, bolterrors.ErrTimeout) {
		err = errors.New("another process has it open")
	}
	if err != nil {
		return nil, fmt.Errorf("database %q: %w", path, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	})
	return boltStore{db}, err
}

func (s boltStore) load(name string) (p Player, err error) {
	err = s.db.View(func(tx *bbolt.Tx) (err error) {
		p, err = get(tx, name)
		return err
	})
	return p, err
}

func get(tx *bbolt.Tx, name string) (Player, error) {
	p := Player{Name: name}
	if text := tx.Bucket(bucket).Get([]byte(name)); text != nil {
		return p, json.Unmarshal(text, &p)
	}
	return p, nil
}

// save shares one transaction, and one wait for the disk, with others that save
// at the same time.
func (s boltStore) save(players []Player) error {
	return s.db.Batch(func(tx *bbolt.Tx) error {
		for _, p := range players {
			old, err := get(tx, p.Name)
			if err != nil {
				return err
			}
			text, err := json.Marshal(old.merge(p))
			if err != nil {
				return err
			}
			if err := tx.Bucket(bucket).Put([]byte(p.Name), text); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s boltStore) remove(players []Player) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		for _, p := range players {
			now, err := get(tx, p.Name)
			if err == nil && now == p {
				err = tx.Bucket(bucket).Delete([]byte(p.Name))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (s boltStore) all(f func(Player)) error {
	return s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(_, text []byte) error {
			p := Player{}
			if err := json.Unmarshal(text, &p); err != nil {
				return err
			}
			f(p)
			return nil
		})
	})
}

func (s boltStore) close() error { return s.db.Close() }
