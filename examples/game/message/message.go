// Package message has the packets between a player and the game, as MessagePack:
// a Request from the player, an Update to him.
package message

//go:generate go tool -modfile=../../../tools/go.mod msgp -file message.go -o message_gen.go -io=false -tests=false

//msgp:tuple Move Room World Spot Gem Chat Score

// Request is what a player wants; one of its fields is set.
type Request struct {
	Enter string `msg:"enter,omitempty"` // a room of this kind
	Move  *Move  `msg:"move,omitempty"`
	Say   string `msg:"say,omitempty"`
}

// Move is a change of direction. N is counted by the player, from Room.N on.
type Move struct {
	N    int
	X, Y int // the direction, of any length; (0, 0) stands still
}

// Update is what a player is told; one of its fields is set.
type Update struct {
	Room  *Room   `msg:"room,omitempty"`
	World *World  `msg:"world,omitempty"`
	Chat  *Chat   `msg:"chat,omitempty"`
	Top   []Score `msg:"top,omitempty"`
	Error string  `msg:"error,omitempty"`
}

// Room is where the player is now.
type Room struct {
	Name          string
	You           string
	Width, Height int
	N             int // of the player's last move
}

// World is all that is to be seen in a room. It is the same for all in it.
type World struct {
	Players []Spot
	Gems    []Gem
}

// Spot is a player in the world. Score and N are what is certain: the one is saved,
// the move with that number has been made.
type Spot struct {
	Name  string
	X, Y  int
	Score int
	N     int
}

// Gem lies somewhere and is worth something.
type Gem struct {
	X, Y, Worth int
}

// Chat is what somebody in the room has said.
type Chat struct {
	From, Text string
}

// Score is a row of the table of the best.
type Score struct {
	Name  string
	Score int
}
