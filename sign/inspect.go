package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ledcast/sign/box"
	"ledcast/sign/link"
	"ledcast/sign/wire"
)

// fetchTimeout is how long a retained message may take to come.
const fetchTimeout = 10 * time.Second

// inspection is a document and what a sign needs to judge it.
type inspection struct {
	doc  []byte
	typ  string // value of a header's typ
	keys []byte // the key set's document, or nil
	conf *box.Config
	now  time.Time
	json bool
}

func newInspect(stdin io.Reader, stdout io.Writer, clock func() time.Time) *cobra.Command {
	var config, typ, keys, topic, at string
	var raw bool
	c := &cobra.Command{
		Use:   "inspect {FILE | - | --topic TOPIC}",
		Short: "Check a document as a sign would, and say what is in it and why it is refused",
		Long: "Check a document as a sign would, and say what is in it and the first check that fails.\n\n" +
			"The signature is checked against the key set of --keys, and that against the roots of --config. " +
			"With --topic both are\n" +
			"fetched with the sign's own credentials: a broker that allows one connection a name " +
			"ends the sign's for that moment.\n" +
			"Floors (stale-seq) lie on the sign's disk and are not asked.",
		Example: "  sign inspect program.jws --config qn-001.json --keys keys.jws\n" +
			"  sign inspect --config qn-001.json --topic led/v1/signs/qn-001/program",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || (len(args) == 1) == (topic != "") {
				return usageError{
					errors.New("give one file, - for standard input, or --topic; see sign inspect --help"),
				}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			in := inspection{now: clock(), json: raw}
			if at != "" {
				t, err := time.Parse(time.RFC3339, at)
				if err != nil {
					return usageError{fmt.Errorf("--time %q is no time; write it as 2026-01-31T18:30:00+07:00", at)}
				}
				in.now = t
			}
			if config != "" {
				conf, err := box.LoadConfig(config)
				if err != nil {
					return err
				}
				in.conf = &conf
			}
			var err error
			if keys != "" {
				if in.keys, err = os.ReadFile(keys); err != nil {
					return fmt.Errorf("--keys: %w", err)
				}
			}
			if topic != "" {
				if in.conf == nil {
					return usageError{
						errors.New("--topic needs --config: the broker and the sign's credentials stand there"),
					}
				}
				return in.fromTopic(c.Context(), topic, stdout)
			}
			if in.doc, err = readDocument(args[0], stdin); err != nil {
				return err
			}
			if in.typ, err = typOf(typ, in.doc); err != nil {
				return err
			}
			return in.report(stdout)
		},
	}
	f := c.Flags()
	f.StringVar(&config, "config", "", "the sign's config `file`: its name, class, roots and broker")
	f.StringVar(&typ, "typ", "",
		"`kind`: keys, program, alerts, alerts-test, request or played; otherwise as the document says")
	f.StringVar(&keys, "keys", "", "the key set's `file`")
	f.StringVar(&topic, "topic", "", "fetch this `topic` instead of reading a file")
	f.StringVar(&at, "time", "", "judge it as at this `time`, e.g. 2026-01-31T18:30:00+07:00")
	f.BoolVar(&raw, "json", false, "print the payload and nothing else")
	return c
}

// readDocument takes one line feed off the end: editors and echo put it there.
func readDocument(name string, stdin io.Reader) ([]byte, error) {
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		stdin = file
	}
	data, err := io.ReadAll(io.LimitReader(stdin, wire.MaxDocument+2))
	if n := len(data); n > 0 && data[n-1] == '\n' {
		data = data[:n-1]
	}
	return data, err
}

// typOf returns the kind of document: the one that was asked for, or the one that it claims.
func typOf(kind string, doc []byte) (string, error) {
	kinds := []string{
		wire.TypKeys,
		wire.TypProgram,
		wire.TypAlerts,
		wire.TypAlertsTest,
		wire.TypRequest,
		wire.TypPlayed,
	}
	for _, typ := range kinds {
		if kind == strings.TrimPrefix(typ, "ledcast-") {
			return typ, nil
		}
		if _, err := wire.Split(doc, typ); kind == "" && err == nil {
			return typ, nil
		}
	}
	if kind != "" {
		return "", usageError{fmt.Errorf("--typ %q is not keys, program, alerts, alerts-test, request or played", kind)}
	}
	_, err := wire.Split(doc, wire.TypProgram)
	return "", fmt.Errorf("refused: %w; a document is a compact JWS with the header that docs/protocol.md gives", err)
}

// fromTopic fetches a topic and, for what they sign, the keys.
func (in *inspection) fromTopic(ctx context.Context, topic string, w io.Writer) error {
	kind, err := topicKind(topic, in.conf)
	if err != nil {
		return err
	}
	topics := []string{topic}
	if in.keys == nil && topic != wire.TopicKeys && strings.HasPrefix(kind, "ledcast-") {
		topics = append(topics, wire.TopicKeys)
	}
	got, err := fetch(ctx, in.conf, topics)
	if err != nil {
		return err
	}
	if len(topics) > 1 {
		in.keys = got[wire.TopicKeys]
	}
	in.doc = got[topic]
	if strings.HasPrefix(kind, "ledcast-") {
		in.typ = kind
		return in.report(w)
	}
	return in.reportFrame(topic, kind, w)
}

// topicKind is the typ that a topic carries, "frame" or "picture".
func topicKind(topic string, conf *box.Config) (string, error) {
	if topic == wire.TopicKeys {
		return wire.TypKeys, nil
	}
	if _, leaf, ok := wire.SplitSignTopic(topic); ok {
		switch leaf {
		case wire.LeafProgram:
			return wire.TypProgram, nil
		case wire.LeafFrame:
			return "picture", nil
		case wire.LeafRequest:
			return wire.TypRequest, nil
		}
	}
	switch {
	case topic == wire.AlertsTopic(conf.Class, false):
		return wire.TypAlerts, nil
	case topic == wire.AlertsTopic(conf.Class, true):
		return wire.TypAlertsTest, nil
	case wire.IsDigest(topic[strings.LastIndexByte(topic, '/')+1:]):
		return "frame", nil
	}
	return "", usageError{
		fmt.Errorf("--topic %q is none that a sign of the class %s reads; docs/protocol.md lists them", topic,
			conf.Class),
	}
}

// fetch gets retained messages with the sign's credentials, over one connection.
func fetch(ctx context.Context, conf *box.Config, topics []string) (map[string][]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, fetchTimeout, fmt.Errorf("nothing came within %v", fetchTimeout))
	defer cancel()
	tls, err := conf.TLS()
	if err != nil {
		return nil, err
	}
	messages, failed := make(chan link.Message, 16), make(chan error, 2)
	l, err := link.New(link.Options{
		Broker:   conf.Broker,
		ClientID: conf.Sign,
		Username: conf.Username,
		Password: conf.Password,
		TLS:      tls,
		Up: func(c link.Conn) {
			go func() {
				ask := map[string]byte{}
				for _, t := range topics {
					ask[t] = 1
				}
				if err := c.Subscribe(ctx, ask); err != nil {
					failed <- err
				}
			}()
		},
		Message: func(m link.Message) {
			select {
			case messages <- m:
			default: // more than was asked for
			}
		},
		Wait: func(context.Context, time.Duration) error {
			return fmt.Errorf("no connection, or it was ended; check the address, the password and the certificate")
		},
	})
	if err != nil {
		return nil, err
	}
	done := make(chan struct{})
	go func() { defer close(done); failed <- l.Run(ctx) }()
	defer func() { cancel(); <-done }()
	got := map[string][]byte{}
	for len(got) < len(topics) {
		select {
		case m := <-messages:
			got[m.Topic] = m.Payload
		case err := <-failed:
			return nil, fmt.Errorf("%s as %s: %w", conf.Broker, conf.Sign, err)
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: %w; perhaps nothing is retained there, or this sign may not read it",
				strings.Join(topics, " and "), context.Cause(ctx))
		}
	}
	return got, nil
}

func (in *inspection) reportFrame(topic, kind string, w io.Writer) error {
	digest := wire.Digest(in.doc)
	fmt.Fprintf(w, "%s: %d bytes, sha256 %s\n", kind, len(in.doc), digest)
	if kind == "picture" {
		if _, err := wire.OpenPicture(in.doc, in.conf.Class); err != nil {
			return fmt.Errorf("refused: %w", err)
		}
	} else if !strings.HasSuffix(topic, "/"+digest) {
		return fmt.Errorf("refused: %s: these are not the bytes that the topic names", wire.BadFrame)
	}
	fmt.Fprintln(w, "accepted; whether it fits a program is checked with the program")
	return nil
}

// report says what is in the document and what a sign would say to it.
func (in *inspection) report(w io.Writer) error {
	payload, notes, err := in.check()
	if in.json {
		if payload == nil {
			return fmt.Errorf("refused: %w", err)
		}
		text, jerr := json.MarshalIndent(payload, "", "  ")
		if jerr != nil {
			return jerr
		}
		fmt.Fprintf(w, "%s\n", text)
	} else {
		describe(w, payload, in.now)
		for _, n := range notes {
			fmt.Fprintln(w, "not checked:", n)
		}
	}
	if err != nil {
		return fmt.Errorf("refused: %w", err)
	}
	if !in.json {
		fmt.Fprintln(w, "accepted")
	}
	return nil
}
