// Package actor is the runtime of one node: handles, mailboxes, coroutines,
// the scheduler and timers. It follows skynet-src (skynet_handle.c,
// skynet_mq.c, skynet_server.c, skynet_timer.c) and the coroutine rules of
// lualib/skynet.lua. It knows no network, no Lua, no command names and no log
// library; package service is what service code is written with.
//
// # The baton
//
// A service has one baton. The goroutine that holds it runs the service's
// code, so service state needs no lock. The holder takes messages from the
// mailbox and runs handlers inline. A handler that blocks parks its goroutine
// and gives the baton away: to a coroutine that is ready, to a pool goroutine
// when there is work, or to nobody; then the service is idle and has no
// goroutine. Idle means: no holder, nothing scheduled, mailbox empty. It is one
// state, changed only under the mailbox lock. A response that finds it goes
// straight to the parked coroutine; in every other state it waits its turn in
// the mailbox, which keeps the order of messages from one sender.
//
// Whoever gives the baton away looks for work in Skynet's order: woken
// coroutines, calls failed by a dead peer, forks, then the next message.
package actor
