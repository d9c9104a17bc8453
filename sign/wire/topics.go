package wire

import "strings"

// Prefix begins every topic of protocol version 1.
const Prefix = "led/v1/"

// TopicController carries which controller publishes. No sign may read it.
const TopicController = Prefix + "controller"

// TopicKeys carries the signed key set.
const TopicKeys = Prefix + "keys"

// Leaf is the last part of a topic below led/v1/signs/{sign}/.
type Leaf string

// Leaves. The controller publishes the first three, the sign the others.
const (
	LeafProgram  Leaf = "program"
	LeafFrame    Leaf = "frame"
	LeafRequest  Leaf = "request"
	LeafStatus   Leaf = "status"
	LeafAck      Leaf = "ack"
	LeafPlayed   Leaf = "played"
	LeafSnapshot Leaf = "snapshot"
)

// SignTopic returns led/v1/signs/{sign}/{leaf}.
func SignTopic(sign string, leaf Leaf) string { return Prefix + "signs/" + sign + "/" + string(leaf) }

// SplitSignTopic is the inverse of SignTopic. It returns ok false for every other topic.
func SplitSignTopic(topic string) (sign string, leaf Leaf, ok bool) {
	rest, ok := strings.CutPrefix(topic, Prefix+"signs/")
	if !ok {
		return "", "", false
	}
	sign, last, ok := strings.Cut(rest, "/")
	return sign, Leaf(last), ok && sign != "" && last != "" && !strings.Contains(last, "/")
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
