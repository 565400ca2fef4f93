package cluster

import (
	"fmt"

	"github.com/skynetgo/skynet/lualike"
	"github.com/skynetgo/skynet/service"
)

// Open listens for other nodes and returns the address it listens on, once it
// does. where is the name of a node in the table, whose address is taken, or a
// port of the loopback interface (an int; 0 for any free one). At most
// maxclient connections are accepted, 1024 by default. A name that the table
// does not have is an error that says that the node is down.
func Open(c *service.Context, where any, maxclient ...int) (string, error) {
	req := Listen{}
	switch w := where.(type) {
	case string:
		req.Node = w
	case int:
		req.Addr, req.Port = "127.0.0.1", w
	default:
		return "", fmt.Errorf("cluster.Open: %w: a node name or a port, not %T", service.ErrMisuse, where)
	}
	if len(maxclient) > 0 {
		req.MaxClient = maxclient[0]
	}
	d, err := clusterd(c)
	if err != nil {
		return "", fmt.Errorf("cluster.Open %v: %w", where, err)
	}
	addr, err := ListenCmd.Call(c, d, req)
	if err != nil {
		return "", fmt.Errorf("cluster.Open %v: %w", where, err)
	}
	return addr, nil
}

// Call sends args to a service of another node and blocks until the answer
// comes (cluster.call). addr is a Handle there, "@name" for a name registered
// with Register, or ".name" for a local name of that node. A node that the
// table does not name yet is waited for, until the call's deadline, unless
// __nowaiting is set. The error is a *RemoteError for what the other node
// answered, else it wraps ErrNodeDown, ErrNodeUnknown or service.ErrTimeout.
func Call(c *service.Context, node string, addr any, args ...any) (lualike.Args, error) {
	return call[lualike.Args](c, node, addr, args)
}

// CallAs is Call with one result, as an R.
func CallAs[R any](c *service.Context, node string, addr any, args ...any) (R, error) {
	return call[R](c, node, addr, args)
}

func call[R any](c *service.Context, node string, addr any, args []any) (R, error) {
	var r R
	packed, err := remote(c, node, addr, args)
	if err == nil {
		r, err = service.Unpack[R](packed)
	}
	if err != nil {
		return r, fmt.Errorf("cluster.Call %s %v %s: %w", node, addr, command(args), err)
	}
	return r, nil
}

func remote(c *service.Context, node string, addr any, args []any) (service.Packed, error) {
	l := linksOf(c)
	req := l.newRequest()
	payload := req.Payload
	var err error
	if *req, err = request(payload, addr, args); err != nil {
		return nil, err
	}
	packed, err := l.peer(c, node).call(c, req)
	if err == nil {
		l.reuse(req)
	}
	return packed, err
}

// Req is Call for a request that is packed already, and whose answer stays so.
func Req(c *service.Context, node string, req Request) (service.Packed, error) {
	return linksOf(c).peer(c, node).call(c, &req)
}

// Send sends args to a service of another node without asking for an answer
// (cluster.send); it does not block. Until the connection stands messages wait,
// in order with the calls of this service that follow. ErrNodeDown when the node
// is known to be down; messages that are lost later are counted, see Links.
func Send(c *service.Context, node string, addr any, args ...any) error {
	l := linksOf(c)
	buffer := l.buffer
	if buffer == nil {
		buffer = make([]byte, 0, gatherSize)
	}
	l.buffer = nil // packing may run code that sends
	req, err := request(buffer, addr, args)
	kept := false
	if err == nil {
		kept, err = l.peer(c, node).push(c, req)
	}
	if !kept {
		l.buffer = buffer
	}
	if err != nil {
		return fmt.Errorf("cluster.Send %s %v %s: %w", node, addr, command(args), err)
	}
	return nil
}

// Push is Send for a message that is packed already.
func Push(c *service.Context, node string, req Request) error {
	_, err := linksOf(c).peer(c, node).push(c, req)
	return err
}

// Query returns the handle that another node has registered under name, which
// has no "@" here, and blocks until the answer comes (cluster.query).
// ErrNameNotFound when there is none.
func Query(c *service.Context, node, name string) (service.Handle, error) {
	packed, err := remote(c, node, service.Handle(0), []any{name})
	var h service.Handle
	if err == nil {
		h, err = service.Unpack[service.Handle](packed)
	}
	if err != nil {
		return 0, fmt.Errorf("cluster.Query %s %s: %w", node, name, err)
	}
	return h, nil
}

// Register makes a service of this node known to others as "@name"; addr is
// the own service when 0 (cluster.register). A name in use is an error; a
// second name for one service replaces the first.
func Register(c *service.Context, name string, addr service.Handle) error {
	if addr == 0 {
		addr = c.Self()
	}
	return ask(c, "cluster.Register "+name, RegisterCmd, Registration{name, addr})
}

// Unregister takes a registered name back; an unknown one is no error
// (cluster.unregister).
func Unregister(c *service.Context, name string) error {
	return ask(c, "cluster.Unregister "+name, UnregisterCmd, name)
}

// Reload changes the node table (cluster.reload) and blocks until the table is
// changed, never for the network: connections whose address changed move
// afterwards. Nodes that the source does not name stay as they are. A nil
// source is the file that the config key "cluster" names.
func Reload(c *service.Context, source Source) error {
	req := ReloadRequest{}
	if source != nil {
		req = source.request()
	}
	return ask(c, "cluster.Reload", ReloadCmd, req)
}

// Proxy returns a handle of this node that stands for a service of another:
// calls and sends to it go there (cluster.proxy). addr is a Handle or a name as
// for Call; with node alone it may be written "node@name" or "node.name".
func Proxy(c *service.Context, node string, addr ...any) (service.Handle, error) {
	req := ProxyRequest{Node: node}
	if len(addr) > 0 {
		target, err := request(nil, addr[0], nil)
		if err != nil {
			return 0, fmt.Errorf("cluster.Proxy %s: %w", node, err)
		}
		req.Name, req.Handle = target.Name, target.Handle
	}
	d, err := clusterd(c)
	if err != nil {
		return 0, fmt.Errorf("cluster.Proxy %s: %w", node, err)
	}
	h, err := ProxyCmd.Call(c, d, req)
	if err != nil {
		return 0, fmt.Errorf("cluster.Proxy %s %v: %w", node, addr, err)
	}
	return h, nil
}

// ask calls clusterd with a command that has no result.
func ask[A, R any](c *service.Context, what string, cmd service.Cmd[A, R], arg A) error {
	d, err := clusterd(c)
	if err == nil {
		_, err = cmd.Call(c, d, arg)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// clusterd returns the cluster service of this node, which it starts when it
// does not run yet.
func clusterd(c *service.Context) (service.Handle, error) {
	l := linksOf(c)
	if l.clusterd == 0 {
		h, err := c.UniqueService("clusterd")
		if err != nil {
			return 0, err
		}
		l.clusterd = h
	}
	return l.clusterd, nil
}

// request packs what goes to another node, into buffer when there is room.
func request(buffer []byte, addr any, args []any) (Request, error) {
	req := Request{}
	switch a := addr.(type) {
	case string:
		if a == "" || len(a) > 255 {
			return req, fmt.Errorf("%w: an address has 1 to 255 characters, not %d", service.ErrMisuse, len(a))
		}
		req.Name = a
	case service.Handle:
		req.Handle = a
	case int:
		req.Handle = service.Handle(a)
	case int64:
		req.Handle = service.Handle(a)
	case uint32:
		req.Handle = service.Handle(a)
	default:
		return req, fmt.Errorf("%w: an address is a Handle or a string, not %T", service.ErrMisuse, addr)
	}
	var err error
	req.Payload, req.More, err = lualike.AppendPieces(buffer, args...)
	return req, err
}

func command(args []any) string {
	if len(args) == 0 {
		return ""
	}
	s, _ := args[0].(string)
	return s
}
