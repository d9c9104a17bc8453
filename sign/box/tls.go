package box

import (
	"crypto/tls"

	"ledcast/sign/wire"
)

// TLS is how a connection to Broker is secured; nil for mqtt://. Its error
// names the CA file.
func (c *Config) TLS() (*tls.Config, error) { return c.tls() }

// Roots are the two root keys that the sign believes, as the checks of key sets
// take them.
func (c *Config) Roots() (wire.Roots, error) { return c.roots() }
