package cluster

import (
	"fmt"
	"time"

	"github.com/skynetgo/skynet/cluster/wire"
	"github.com/skynetgo/skynet/service"
)

// Commands of clusterd.
const (
	ListenCmd     = service.Cmd[Listen, string]("listen")
	ReloadCmd     = service.Cmd[ReloadRequest, any]("reload")
	SenderCmd     = service.Cmd[string, service.Handle]("sender")
	ProxyCmd      = service.Cmd[ProxyRequest, service.Handle]("proxy")
	RegisterCmd   = service.Cmd[Registration, any]("register")
	UnregisterCmd = service.Cmd[string, any]("unregister")
	QueryNameCmd  = service.Cmd[string, service.Handle]("queryname")
	OptionsCmd    = service.Cmd[any, Settings]("options")
)

// Commands of a clustersender.
const (
	ReqCmd        = service.Cmd[*Request, service.Packed]("req")
	PushCmd       = service.Cmd[Request, any]("push")
	PushesCmd     = service.Cmd[*Pushes, any]("pushes")
	ChangeNodeCmd = service.Cmd[NodeChange, any]("changenode")
	SettingsCmd   = service.Cmd[Settings, any]("settings")
)

// NodeChange tells a clustersender where to connect to; to nowhere when Addr is
// empty.
type NodeChange struct {
	Addr     string   `lua:"addr"`
	Settings Settings `lua:"settings"`
}

// Request is a message to another node.
type Request struct {
	Name    string         `lua:"name"`   // "@name", ".name", ":hex"; empty: Handle
	Handle  service.Handle `lua:"handle"` // 0 with no Name asks for a registered name
	Payload []byte         `lua:"payload"`
	More    [][]byte       `lua:"more"`    // what follows Payload, which then are PartSize bytes or more in all
	Timeout time.Duration  `lua:"timeout"` // how long the answer is waited for; 0: for ever
}

// Address returns the address as text.
func (r Request) Address() string {
	if r.Name != "" {
		return r.Name
	}
	return r.Handle.String()
}

// WireAddr returns the address as it stands in a frame.
func (r Request) WireAddr() wire.Addr {
	if r.Name != "" {
		return wire.NameAddr(r.Name)
	}
	return wire.NumAddr(uint32(r.Handle))
}

// Size returns the bytes of Payload and More.
func (r Request) Size() int {
	n := len(r.Payload)
	for _, b := range r.More {
		n += len(b)
	}
	return n
}

// Listen asks clusterd to listen: on the address of Node, or on Addr and Port.
type Listen struct {
	Node      string `lua:"node"`
	Addr      string `lua:"addr"`
	Port      int    `lua:"port"`
	MaxClient int    `lua:"maxclient"`
}

// Registration is a name for a service of this node.
type Registration struct {
	Name   string         `lua:"name"`
	Handle service.Handle `lua:"handle"`
}

// ProxyRequest names a service of another node. Without Name and Handle, Node
// holds both: "node@name" or "node.name".
type ProxyRequest struct {
	Node   string         `lua:"node"`
	Name   string         `lua:"name"`
	Handle service.Handle `lua:"handle"`
}

// ReloadRequest is a Source on its way to clusterd.
type ReloadRequest struct {
	Kind  string         `lua:"kind"` // "" for the configured file, "file", "text" or "table"
	Text  string         `lua:"text"` // the path or the Lua text
	Table map[string]any `lua:"table"`
}

// Source is where a node table comes from: File, Text or Table.
type Source interface{ request() ReloadRequest }

// File is the path of a node table in Lua syntax: lines name = "host:port",
// name = false for a node that is down, and __option = value.
type File string

func (f File) request() ReloadRequest { return ReloadRequest{Kind: "file", Text: string(f)} }

// Text is a node table in Lua syntax.
type Text string

func (t Text) request() ReloadRequest { return ReloadRequest{Kind: "text", Text: string(t)} }

// Table is a node table: a "host:port", "tls://host:port" or false by node
// name, any value by "__option".
type Table map[string]any

func (t Table) request() ReloadRequest { return ReloadRequest{Kind: "table", Table: t} }

// String names the source in errors.
func (r ReloadRequest) String() string {
	if r.Kind == "file" {
		return fmt.Sprintf("file %s", r.Text)
	}
	return r.Kind
}
