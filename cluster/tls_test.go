package cluster_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/skynetgo/skynet/bootstrap/nodetest"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
)

// secrets adds a certificate that a has signed to a table.
func secrets(t *testing.T, a *nodetest.Authority, table cluster.Table) cluster.Table {
	t.Helper()
	table["__cert"], table["__key"], table["__ca"] = a.Write(t.TempDir())
	return table
}

// tlsServer is server for a node that speaks TLS.
func tlsServer(t *testing.T, a *nodetest.Authority, options ...nodetest.Option) (*nodetest.Node, string) {
	t.Helper()
	n := client(t, secrets(t, a, cluster.Table{"srv": "tls://127.0.0.1:0"}), append(options, nodetest.Services(sdb()))...)
	addr, _ := serve(n, "srv")
	return n, addr
}

// A table names nodes that speak TLS and others that do not; calls to all work
// alike, large ones too, in the order made.
func TestTLSBesidePlain(t *testing.T) {
	for _, isolate := range []bool{false, true} {
		t.Run(fmt.Sprintf("isolate=%v", isolate), func(t *testing.T) {
			a := nodetest.NewAuthority(t)
			_, secret := tlsServer(t, a, nodetest.Isolate(isolate))
			_, plain, _ := server(t, nodetest.Isolate(isolate))
			if !strings.HasPrefix(secret, "tls://127.0.0.1:") {
				t.Errorf("listens on %s", secret)
			}
			n := client(t, secrets(t, a, cluster.Table{"plain": plain, "secret": secret}), nodetest.Isolate(isolate))
			n.Run(func(c *service.Context) error {
				if _, err := cluster.Call(c, secret, "@sdb", "echo"); err != nil { // by its address
					return err
				}
				for _, node := range []string{"plain", "secret"} {
					for _, size := range []int{0, 1, 0x7fff, 0x8000, 0x8001, 5 << 20} {
						text := strings.Repeat("t", size)
						if got, err := cluster.CallAs[string](c, node, "@sdb", "echo", text); err != nil || got != text {
							return fmt.Errorf("%s, %d bytes: %d, %w", node, size, len(got), err)
						}
					}
					var list []any
					for i := range 500 {
						if err := cluster.Send(c, node, ".sdb", "note", i); err != nil {
							return err
						}
						list = append(list, i)
					}
					got, err := cluster.Call(c, node, ".sdb", "notes")
					if err != nil {
						return err
					}
					if err := want(node, got, list); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
}

// A call to a node that does not speak what the table says, or trusts somebody
// else, ends with an error that says so; the other node's log does too.
func TestTLSMismatch(t *testing.T) {
	a := nodetest.NewAuthority(t)
	secretNode, secret := tlsServer(t, a)
	plainNode, plain, _ := server(t)
	for _, tc := range []struct {
		what, addr string
		authority  *nodetest.Authority
		says       string
		other      *nodetest.Node
		log        string
	}{
		{"plain at TLS", strings.TrimPrefix(secret, "tls://"), a, "looks like TLS, not plain frames", secretNode, "speaks no TLS"},
		{"TLS at plain", "tls://" + plain, a, "perhaps it speaks no TLS", plainNode, "looks like TLS, not plain frames"},
		{"another authority", secret, nodetest.NewAuthority(t), "x509: certificate signed by unknown authority", secretNode, "remote error: tls: bad certificate"},
	} {
		n := client(t, secrets(t, tc.authority, cluster.Table{"srv": tc.addr}))
		n.Run(func(c *service.Context) error {
			_, err := cluster.Call(c, "srv", "@sdb", "echo")
			if !errors.Is(err, cluster.ErrNodeDown) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%s: %v", tc.what, err)
			}
			return nil
		})
		tc.other.Log.Wait(t, tc.log)
	}
}

// A node that has no certificates can neither listen with TLS nor call such a
// node.
func TestTLSWithoutCertificates(t *testing.T) {
	n := client(t, cluster.Table{"srv": "tls://127.0.0.1:0"})
	n.Run(func(c *service.Context) error {
		_, err := cluster.Open(c, "srv")
		_, callErr := cluster.Call(c, "srv", "@sdb", "echo")
		for _, err := range []error{err, callErr} {
			if err == nil || !strings.Contains(err.Error(), "socket: TLS: cert: no file is named") {
				t.Errorf("got %v", err)
			}
		}
		return nil
	})
}

// A table with certificates that can not be used is refused as a whole.
func TestTLSReloadErrors(t *testing.T) {
	a := nodetest.NewAuthority(t)
	cert, key, ca := a.Write(t.TempDir())
	n := client(t, nil)
	n.Run(func(c *service.Context) error {
		for _, tc := range []struct {
			table cluster.Table
			want  string
		}{
			{cluster.Table{"__cert": "nosuch.pem", "__key": key, "__ca": ca}, "node table: cert: stat nosuch.pem: no such file or directory"},
			{cluster.Table{"__cert": cert, "__key": key}, "node table: ca: no file is named"},
			{cluster.Table{"__cert": cert, "__key": ca, "__ca": ca}, "node table: cert " + cert + " with key " + ca},
			{cluster.Table{"__ca": key, "__key": key, "__cert": cert}, "node table: ca " + key + ": no certificate in it"},
			{cluster.Table{"srv": "tls://127.0.0.1"}, `srv is not host:port: "tls://127.0.0.1"`},
		} {
			tc.table["__nowaiting"] = true
			if err := cluster.Reload(c, tc.table); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		}
		good := cluster.Table{"__cert": cert, "__key": key, "__ca": ca}
		if err := cluster.Reload(c, good); err != nil {
			return err
		}
		if err := os.Remove(key); err != nil {
			return err
		}
		return cluster.Reload(c, good) // the files of a table in force may be in work
	})
	if strings.Contains(strings.Join(n.Log.Lines(), "\n"), "nowaiting") {
		t.Error("a table that was refused has changed something")
	}
}

// New certificates hold for the next connection; the calls on the one that is
// there go on.
func TestTLSRotation(t *testing.T) {
	old, fresh := nodetest.NewAuthority(t), nodetest.NewAuthority(t)
	dir := t.TempDir()
	cert, key, ca := old.Write(dir)
	options := func() cluster.Table { return cluster.Table{"__cert": cert, "__key": key, "__ca": ca} }
	table := options()
	table["srv"] = "tls://127.0.0.1:0"
	far := client(t, table, nodetest.Services(sdb()))
	addr, _ := serve(far, "srv")
	table = options()
	table["srv"] = addr
	n := client(t, table)
	echo := func(n *nodetest.Node) (err error) {
		n.Run(func(c *service.Context) error {
			_, err = cluster.Call(c, "srv", "@sdb", "echo")
			return nil
		})
		return err
	}
	if err := echo(n); err != nil {
		t.Fatal(err)
	}
	fresh.Write(dir)
	if err := echo(n); err != nil {
		t.Fatal(err)
	}
	if err := echo(client(t, secrets(t, old, cluster.Table{"srv": addr}))); err == nil {
		t.Error("the old authority is still trusted")
	}
	far.Log.Wait(t, "TLS: the certificates have changed")
	if err := echo(client(t, secrets(t, fresh, cluster.Table{"srv": addr}))); err != nil {
		t.Error(err)
	}
	n.Run(func(c *service.Context) error { // the old sender connects anew
		_, port, err := net.SplitHostPort(strings.TrimPrefix(addr, "tls://"))
		if err != nil {
			return err
		}
		return cluster.Reload(c, cluster.Table{"srv": "tls://localhost:" + port})
	})
	if err := echo(n); err != nil {
		t.Error(err)
	}
	n.Log.Wait(t, "TLS: the certificates have changed")
}
