package wire

import "strings"

// Prefix begins every topic of protocol version 1.
const Prefix = "led/v1/"

// TopicKeys carries the signed key set.
const TopicKeys = Prefix + "keys"

// Topics below led/v1/signs/{sign}/.
const (
	Program  = "program"
	Frame    = "frame"
	Request  = "request"
	StatusOf = "status"
	AckOf    = "ack"
	PlayedOf = "played"
	Snapshot = "snapshot"
)

// SignTopic is led/v1/signs/{sign}/{leaf}.
func SignTopic(sign, leaf string) string { return Prefix + "signs/" + sign + "/" + leaf }

// SplitSignTopic is the inverse of SignTopic; ok is false for other topics.
func SplitSignTopic(topic string) (sign, leaf string, ok bool) {
	rest, ok := strings.CutPrefix(topic, Prefix+"signs/")
	if !ok {
		return "", "", false
	}
	sign, leaf, ok = strings.Cut(rest, "/")
	return sign, leaf, ok && sign != "" && leaf != "" && !strings.Contains(leaf, "/")
}

// FrameTopic is where a program's frame file is found.
func FrameTopic(owner, sha256 string) string { return Prefix + "frames/" + owner + "/" + sha256 }

// AlertsTopic carries the alert set of a class; test is the set that only test
// signs may read.
func AlertsTopic(class string, test bool) string {
	if test {
		return Prefix + "alerts-test/" + class
	}
	return Prefix + "alerts/" + class
}

// AlertFrameTopic is where a frame of an alert is pushed; with sha256 "+" it is
// the filter that a program sign stays subscribed to.
func AlertFrameTopic(class string, test bool, sha256 string) string {
	return AlertsTopic(class, test) + "/frames/" + sha256
}
