package debugconsole

import (
	"runtime"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/skynetgo/skynet/actor"
	"github.com/skynetgo/skynet/cluster"
	"github.com/skynetgo/skynet/service"
	"github.com/skynetgo/skynet/service/socket"
)

// The metrics of a node. docs/console.md says what each means.
var (
	nodeInfo       = metric("skynet_node_info", "Always 1.", "id", "go")
	uptime         = metric("skynet_uptime_seconds", "Time since the node was made.")
	servicesNow    = metric("skynet_services", "Services that live.", "service")
	launchedTotal  = metric("skynet_services_launched_total", "Services started.")
	handled        = metric("skynet_messages_total", "Messages that services have begun with.", "service")
	mailboxNow     = metric("skynet_mailbox_messages", "Messages that wait.", "service")
	longestMailbox = metric("skynet_mailbox_max_messages", "Messages that wait in the longest mailbox.", "service")
	cpu            = metric("skynet_cpu_seconds_total", "Time that code of services ran.", "service")
	drops          = metric("skynet_dropped_messages_total", "Messages that reached nobody.", "reason")
	socketsNow     = metric("skynet_sockets", "Sockets that are open.", "type")
	socketRead     = metric("skynet_socket_read_bytes_total", "Bytes read.")
	socketWritten  = metric("skynet_socket_written_bytes_total", "Bytes written.")
	socketPending  = metric("skynet_socket_pending_bytes", "Bytes that wait to be written.")
	linkUp         = metric("skynet_cluster_link_up", "1 while there is a connection.", "node")
	linkRequests   = metric("skynet_cluster_requests_total", "Requests sent.", "node")
	linkPushes     = metric("skynet_cluster_pushes_total", "Messages sent that want no answer.", "node")
	linkAnswers    = metric("skynet_cluster_answers_total", "Answers that came.", "node")
	linkErrors     = metric("skynet_cluster_errors_total", "Answers that say no.", "node")
	linkUnsent     = metric("skynet_cluster_unsent_bytes_total", "Bytes that were queued when the connection was lost.", "node")
	linkDropped    = metric("skynet_cluster_dropped_messages_total", "Messages that were not sent.", "node", "reason")
)

func metric(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// registry holds what /metrics shows: the node's, and those of Go and the process
// that all programs with this library have.
func (s *console) registry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		&collector{node: s.node, services: newSums[*actor.Service](32), sockets: newSums[socket.FD](64)},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return r
}

// collector reads a node when it is asked to.
type collector struct {
	node *service.Node

	mu       sync.Mutex
	services sums[*actor.Service]
	sockets  sums[socket.FD]
}

// Describe says nothing: the labels come and go.
func (k *collector) Describe(chan<- *prometheus.Desc) {}

// Collect is called for each scrape, perhaps by several at once.
func (k *collector) Collect(out chan<- prometheus.Metric) {
	k.mu.Lock()
	defer k.mu.Unlock()
	emit := func(kind prometheus.ValueType, d *prometheus.Desc, v float64, labels []string) {
		for i, text := range labels {
			if !utf8.ValidString(text) { // no label; and a panic here is the end of the process
				labels[i] = strconv.QuoteToASCII(text)
			}
		}
		out <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) { emit(prometheus.GaugeValue, d, v, labels) }
	counter := func(d *prometheus.Desc, v float64, labels ...string) { emit(prometheus.CounterValue, d, v, labels) }
	n := k.node
	st := n.Stat()
	gauge(nodeInfo, 1, n.ID().String(), runtime.Version())
	gauge(uptime, n.Uptime().Seconds())
	counter(launchedTotal, float64(st.Launched))
	counter(drops, float64(st.Drops.NoService), "no service")
	counter(drops, float64(st.Drops.Exited), "exited")
	counter(drops, float64(st.Drops.Late), "late")
	counter(drops, float64(st.Drops.Overload), "overload")
	k.collectServices(gauge, counter)
	k.collectSockets(gauge, counter)
	for _, l := range cluster.Links(n) {
		up := 0.0
		if l.State == cluster.LinkUp {
			up = 1
		}
		gauge(linkUp, up, l.Node)
		counter(linkRequests, float64(l.Requests), l.Node)
		counter(linkPushes, float64(l.Pushes), l.Node)
		counter(linkAnswers, float64(l.Answers), l.Node)
		counter(linkErrors, float64(l.Errors), l.Node)
		counter(linkUnsent, float64(l.Unsent), l.Node)
		for reason, count := range l.Dropped {
			counter(linkDropped, float64(count), l.Node, reason.String())
		}
	}
}

type report func(d *prometheus.Desc, v float64, labels ...string)

// collectServices adds up the services of one name.
func (k *collector) collectServices(gauge, counter report) {
	type group struct{ count, waiting, longest int }
	groups := make(map[string]*group)
	for _, svc := range k.node.Services() {
		st := svc.Stat()
		g := groups[svc.Name()]
		if g == nil {
			g = new(group)
			groups[svc.Name()] = g
		}
		g.count++
		g.waiting += st.Mailbox
		g.longest = max(g.longest, st.Mailbox)
		k.services.add(svc.Name(), svc, pair64{uint64(st.Requests), uint64(st.CPU)})
	}
	for name, g := range groups {
		gauge(servicesNow, float64(g.count), name)
		gauge(mailboxNow, float64(g.waiting), name)
		gauge(longestMailbox, float64(g.longest), name)
	}
	for name, sum := range k.services.done() {
		counter(handled, float64(sum[0]), name)
		if k.node.Config().Profile {
			counter(cpu, time.Duration(sum[1]).Seconds(), name)
		}
	}
}

func (k *collector) collectSockets(gauge, counter report) {
	count := map[string]int{socket.TypeListen: 0, socket.TypeTCP: 0}
	pending := 0
	for _, s := range socket.Info(k.node) {
		count[s.Type]++
		pending += s.Pending
		if s.Type == socket.TypeTCP {
			k.sockets.add("", s.FD, pair64{s.Read, s.Written})
		}
	}
	for kind, n := range count {
		gauge(socketsNow, float64(n), kind)
	}
	gauge(socketPending, float64(pending))
	sum := k.sockets.done()[""]
	counter(socketRead, float64(sum[0]))
	counter(socketWritten, float64(sum[1]))
}

// pair64 is what sums adds up: messages and CPU time, or bytes read and written.
type pair64 [2]uint64

// sums adds up counters of things that come and go, so that the sum of a name
// never falls: what has ended keeps what it had when it was seen last.
type sums[K comparable] struct {
	bits        uint // of the first counter, which goes round
	totals      map[string]pair64
	before, now map[K]pair64
}

func newSums[K comparable](bits uint) sums[K] {
	return sums[K]{bits: bits, totals: make(map[string]pair64), now: make(map[K]pair64)}
}

// add notes what a thing that lives has come to.
func (s *sums[K]) add(name string, key K, is pair64) {
	was, sum := s.before[key], s.totals[name]
	sum[0] += (is[0] - was[0]) & (1<<s.bits - 1)
	sum[1] += max(is[1], was[1]) - was[1]
	s.totals[name] = sum
	s.now[key] = is
}

// done ends a round and returns the sums by name.
func (s *sums[K]) done() map[string]pair64 {
	s.before, s.now = s.now, make(map[K]pair64, len(s.now))
	return s.totals
}
