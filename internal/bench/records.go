package main

//go:generate go tool -modfile=../../tools/go.mod msgp -file records.go -o records_gen.go -io=false -tests=false -unexported

//msgp:ignore record

// record is a row of a list that is packed as tables.
type record struct {
	ID    int64   `lua:"id"`
	Name  string  `lua:"name"`
	Score float64 `lua:"score"`
}

// scored is the same as MessagePack, and scores are many of them.
type scored struct {
	ID    int64   `msg:"id"`
	Name  string  `msg:"name"`
	Score float64 `msg:"score"`
}

type scores struct {
	Rows []scored `msg:"rows"`
}
