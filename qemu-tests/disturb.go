package qemutests

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"time"
)

// disturb stops QEMU's processors and lets them go on, at random moments about
// every 5 ms, until ctx or QEMU ends. The machine notices nothing but time.
// QEMU's threads notice: each processor is asked to look up from what it runs,
// which otherwise happens at a bad moment only when the machine is busy.
func (q *monitor) disturb(ctx context.Context) {
	conn := q.dial(ctx)
	if conn == nil {
		return
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	for {
		if _, err := io.WriteString(conn, "stop\ncont\n"); err != nil {
			return
		}
		time.Sleep(rand.N(10 * time.Millisecond))
	}
}

// dial connects to the monitor as soon as it is there.
func (q *monitor) dial(ctx context.Context) net.Conn {
	for ctx.Err() == nil {
		if conn, err := net.Dial("unix", q.socket()); err == nil {
			return conn
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}
