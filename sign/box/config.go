// Package box is a whole sign: it connects, accepts documents, keeps floors and frames on disk, plays, and reports
// what it does. `sign run` and the demo's virtual signs are boxes.
//
// One goroutine owns the state of a box. The link and the fetches reach it through a channel. Package accept decides
// about documents, package player about the face; the box gives them a disk, a clock and a network. A box shows
// nothing that was not accepted, and plays on through broken networks, restarts and full disks.
package box

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"regexp"

	"ledcast/sign/output"
	"ledcast/sign/wire"
)

// Config is a sign's config file, as `controller sign add` and the demo write
// it. It holds the sign's password: mode 0600.
type Config struct {
	Sign      string   `json:"sign"`
	Class     string   `json:"class"`          // e.g. "128x64-rgb"
	Mode      string   `json:"mode,omitempty"` // "program" (default) or "picture"
	Test      bool     `json:"test"`
	Areas     []string `json:"areas"`  // until the first program
	Broker    string   `json:"broker"` // mqtt://host:port or mqtts://host:port
	Username  string   `json:"username"`
	Password  string   `json:"password"`
	CA        string   `json:"ca,omitempty"` // of the broker's CA: a PEM file, or its text; "" is the system's
	Root      string   `json:"root"`         // base64url of 32 bytes
	RootSpare string   `json:"root_spare"`
	QoS       int      `json:"qos,omitempty"` // of subscriptions: 0 (default) or 1
	// Outputs maps the face to the LEDs of an output, by "ddp" or "ddp:10.0.0.7" (docs/sign-config.md).
	Outputs map[string]output.Map `json:"outputs,omitempty"`
}

var (
	nameForm  = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,47}$`)
	classForm = regexp.MustCompile(`^([1-9][0-9]{0,3})x([1-9][0-9]{0,3})-(rgb|red|amber|green|white|redgreen)$`)
)

// LoadConfig reads a config file. Its errors name the file and the field.
func LoadConfig(path string) (Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("config: %w; give the file that the controller wrote for this sign", err)
	}
	var c Config
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&c); err != nil {
		return Config{}, fmt.Errorf("%s is not a sign's config: %v; write it anew with `controller sign add`", path,
			err)
	}
	if err := c.Validate(); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// Validate names the first field that cannot be used, its value and the remedy.
func (c *Config) Validate() error {
	if !nameForm.MatchString(c.Sign) {
		return fmt.Errorf("sign %q is not a name: 2 to 48 of a-z, 0-9 and -", c.Sign)
	}
	if _, _, err := c.size(); err != nil {
		return err
	}
	if c.Mode != "" && c.Mode != "program" && c.Mode != "picture" {
		return fmt.Errorf("mode %q is not known; use program or picture", c.Mode)
	}
	if c.Broker == "" {
		return fmt.Errorf("broker is missing; write mqtt://host:port or mqtts://host:port")
	}
	if c.QoS != 0 && c.QoS != 1 {
		return fmt.Errorf("qos %d is not 0 or 1", c.QoS)
	}
	if _, err := c.roots(); err != nil {
		return err
	}
	return nil
}

// size is the face in LEDs.
func (c *Config) size() (w, h int, err error) {
	m := classForm.FindStringSubmatch(c.Class)
	if m == nil {
		return 0, 0, fmt.Errorf("class %q is not <W>x<H>-<colour>, e.g. 128x64-rgb", c.Class)
	}
	if _, err := fmt.Sscanf(m[1]+" "+m[2], "%d %d", &w, &h); err != nil {
		return 0, 0, err
	}
	if w < 8 || h < 8 || w > 8192 || h > 8192 || w*h > wire.MaxStripPixels {
		return 0, 0, fmt.Errorf("class %q is outside 8x8 to 4 Mi pixels", c.Class)
	}
	return w, h, nil
}

func (c *Config) colour() string { return classForm.FindStringSubmatch(c.Class)[3] }

func (c *Config) roots() (wire.Roots, error) {
	var r wire.Roots
	for _, k := range []struct {
		name, text string
		to         *ed25519.PublicKey
	}{{"root", c.Root, &r.Root}, {"root_spare", c.RootSpare, &r.Spare}} {
		pub, err := wire.DecodeKey(k.text)
		if err != nil {
			return r, fmt.Errorf("%s: %w", k.name, err)
		}
		*k.to = pub
	}
	return r, nil
}

func (c *Config) picture() bool { return c.Mode == "picture" }

// Face describes the sign for its outputs.
func (c *Config) Face() output.Face {
	w, h, _ := c.size()
	return output.Face{Sign: c.Sign, Class: c.Class, Colour: c.colour(), W: w, H: h}
}

// login is a digest that tells one user name and password from another.
func (c *Config) login() string {
	return wire.Digest([]byte("login\x00" + c.Username + "\x00" + c.Password))
}

// brokerName is the broker's address for the log: without a password that somebody wrote into it.
func (c *Config) brokerName() string {
	if u, err := url.Parse(c.Broker); err == nil {
		return u.Redacted()
	}
	return ""
}
