package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ledcast/controller/internal/app"
	"ledcast/controller/internal/demo"
	"ledcast/controller/internal/enrol"
	"ledcast/playlists"
)

// serverFlags are the flags that demo and serve share.
type serverFlags struct {
	data, listen, mqttListen, broker string
	tlsCert, tlsKey, advertise       string
	insecure, verbose                bool
	keepProofs                       time.Duration
}

func (f *serverFlags) add(fs *pflag.FlagSet, data string) {
	fs.StringVar(&f.data, "data", data, "`folder` for the database, keys and config files")
	fs.StringVar(&f.listen, "listen", "127.0.0.1:8080", "`address` of the pages")
	fs.StringVar(&f.mqttListen, "mqtt-listen", "127.0.0.1:1883", "`address` of the embedded MQTT broker")
	fs.BoolVar(&f.insecure, "insecure", false, "allow other addresses than loopback without a certificate; every "+
		"page then says so")
	fs.BoolVarP(&f.verbose, "verbose", "v", false, "log more")
}

func (f *serverFlags) options(e *env) app.Options {
	level := slog.LevelInfo
	if f.verbose {
		level = slog.LevelDebug
	}
	return app.Options{Now: now, KeepProofs: f.keepProofs, Data: f.data, Listen: f.listen, MQTTListen: f.mqttListen,
		Broker: f.broker, Advertise: f.advertise, TLSCert: f.tlsCert, TLSKey: f.tlsKey, Insecure: f.insecure,
		Software: buildVersion(), Log: slog.New(slog.NewTextHandler(e.err, &slog.HandlerOptions{Level: level}))}
}

func newDemo(e *env) *cobra.Command {
	var f serverFlags
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run everything on this machine: broker, four virtual signs, a wall of faces",
		Long: "demo runs a whole ledcast on this machine: the embedded MQTT broker, two companies, four virtual " +
			"signs that\n" +
			"get their programs over MQTT, the department's default rotation, and a page with the signs' faces.\n" +
			"The first build takes a minute or two. Ctrl-C stops it; the next start uses the same folder.",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if f.data == "" {
				cache, err := os.UserCacheDir()
				if err != nil {
					return usagef("give --data DIR", "there is no cache folder for this user (%v)", err)
				}
				f.data = filepath.Join(cache, "ledcast-demo")
			}
			return f.demo(c.Context(), e, c.Flags())
		},
	}
	f.add(c.Flags(), "")
	c.Flags().Lookup("data").DefValue = "ledcast-demo in your cache folder"
	return c
}

func (f *serverFlags) demo(ctx context.Context, e *env, flags *pflag.FlagSet) error {
	a, err := f.startDemo(ctx, e, flags)
	if err != nil {
		return err
	}
	o := f.options(e)
	d, err := demo.Start(ctx, a, demo.Options{Data: f.data, Software: o.Software, Now: time.Now, Log: o.Log})
	if err != nil {
		return errors.Join(err, a.Stop())
	}
	link, err := a.People().SignInLink(ctx, enrol.AdminUser)
	if err != nil {
		d.Stop()
		return errors.Join(err, a.Stop())
	}
	fmt.Fprintf(e.err, "sign in as the department's administrator, once: %s\n(as somebody else: controller user link "+
		"NAME --data DIR --as admin)\n", link)
	fmt.Fprintf(e.err, "data folder: %s\nMQTT broker: %s\nsign configs: %s\nCtrl-C stops it.\n", f.data,
		a.BrokerAddr(), filepath.Join(f.data, "signs"))
	fmt.Fprintf(e.out, "ledcast demo: http://%s/\n", a.Addr())
	<-ctx.Done()
	d.Stop()
	return a.Stop()
}

// startDemo starts on the given ports, or on a free one where a default port is in
// use.
func (f *serverFlags) startDemo(ctx context.Context, e *env, flags *pflag.FlagSet) (*app.App, error) {
	o := f.options(e)
	o.Guest, o.Demo, o.BuiltIn = demo.Guest(), true, demo.People()
	o.Held = func() bool { return true } // the demo's signs live by this machine's clock: nothing could know better
	for {
		a, err := app.New(ctx, o)
		var p *playlists.Error
		if !errors.As(err, &p) || p.Code != playlists.Conflict {
			return a, err
		}
		switch {
		case p.Field == "--listen" && !flags.Changed("listen") && o.Listen == f.listen:
			o.Listen = "127.0.0.1:0"
		case p.Field == "--mqtt-listen" && !flags.Changed("mqtt-listen") && o.MQTTListen == f.mqttListen:
			o.MQTTListen = "127.0.0.1:0"
		default:
			return nil, err
		}
	}
}
