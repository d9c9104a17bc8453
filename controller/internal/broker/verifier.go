package broker

import (
	"fmt"

	"golang.org/x/crypto/bcrypt"
)

// Outside brokers, as a Verifier names them.
const (
	KindMosquitto = "mosquitto"
	KindNATS      = "nats"
)

// Verifiers are a sign's password as outside brokers check it, by their kind. It
// is made where the password is, and kept: the password itself is not. So few
// rounds are enough only because passwords are 256 random bits.
func Verifiers(password string) (map[string]string, error) {
	m, err := mosquittoPassword(password)
	if err != nil {
		return nil, fmt.Errorf("password for Mosquitto: %w", err)
	}
	n, err := bcrypt.GenerateFromPassword([]byte(password), natsCost)
	if err != nil {
		return nil, fmt.Errorf("password for NATS: %w", err)
	}
	return map[string]string{KindMosquitto: m, KindNATS: string(n)}, nil
}
