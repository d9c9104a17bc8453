package crowd

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// Command is a JSON line to a crowd in a process of its own: first one with Setup and Signs, then any number with an
// Op.
type Command struct {
	Setup *Setup `json:"setup,omitempty"`
	Signs []Sign `json:"signs,omitempty"`
	Op    string `json:"op,omitempty"` // "count" or "times"
	Of    string `json:"of,omitempty"` // an alert's id, or a mark
}

// Answer is one line for each Command with an Op.
type Answer struct {
	Count *Count  `json:"count,omitempty"`
	Times []int64 `json:"times,omitempty"`
}

// Serve reads commands from in and runs their crowd until in ends.
func Serve(ctx context.Context, in io.Reader, out io.Writer, log *slog.Logger) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d, e := json.NewDecoder(bufio.NewReaderSize(in, 1<<16)), json.NewEncoder(out)
	var first Command
	if err := d.Decode(&first); err != nil || first.Setup == nil {
		return fmt.Errorf("the first line names no setup (%v); this command is for controller simulate", err)
	}
	c, err := New(*first.Setup, first.Signs, log)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		ended <- c.Run(ctx)
		cancel() // there is no more crowd to ask
	}()
	stop := func(err error) error {
		cancel()
		return cmp.Or(<-ended, err)
	}
	for {
		var x Command
		if err := d.Decode(&x); err != nil { // the other side has gone
			return stop(nil)
		}
		var a Answer
		switch x.Op {
		case "count":
			n, err := c.Count(ctx, x.Of)
			if err != nil {
				return stop(err)
			}
			a.Count = &n
		case "times":
			if a.Times, err = c.Times(ctx, x.Of); err != nil {
				return stop(err)
			}
		default:
			return fmt.Errorf("op %q is not known; write count or times", x.Op)
		}
		if err := e.Encode(a); err != nil {
			return err
		}
	}
}
