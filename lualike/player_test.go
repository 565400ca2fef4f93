package lualike_test

//go:generate go tool -modfile=../tools/go.mod msgp -file player_test.go -o player_gen_test.go -io=false -tests=false

// Player travels as MessagePack: the generator gives *Player both methods.
type Player struct {
	ID    int64   `msg:"id" lua:"id"`
	Name  string  `msg:"name" lua:"name"`
	Items []Item  `msg:"items" lua:"items"`
	Boss  *Player `msg:"boss" lua:"boss"`
}

// Item is a part of a Player.
type Item struct {
	Kind  int32 `msg:"kind" lua:"kind"`
	Count int32 `msg:"count" lua:"count"`
}

// Score is a row of a Ranking.
type Score struct {
	ID    int64   `msg:"id" lua:"id"`
	Name  string  `msg:"name" lua:"name"`
	Score float64 `msg:"score" lua:"score"`
}

// Ranking is a list in one message.
type Ranking struct {
	Rows []Score `msg:"rows" lua:"rows"`
}
