package cli

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ledcast/playlists"
)

// slogan is a kind of thing that no program has: an owner's words, and a message
// that they belong to.
type slogan struct {
	ID      string `yaml:"id" json:"id"`
	Owner   string `yaml:"owner" json:"owner"`
	Words   string `yaml:"words" json:"words"`
	Message string `yaml:"message,omitempty" json:"message,omitempty"`
}

const kindSlogan = playlists.Kind("slogan")

func (s *slogan) Validate() error {
	if s.Words == "" {
		return &playlists.Error{Code: playlists.Invalid, Field: "slogans/" + s.ID + ".words", Key: "text-empty"}
	}
	return playlists.CheckSlug("slogans/id", s.ID)
}

func (s *slogan) Key() playlists.Key {
	return playlists.Key{Kind: kindSlogan, Owner: s.Owner, ID: s.ID}
}
func (s *slogan) Of() string                { return s.Owner }
func (s *slogan) Complete(owner, id string) { s.Owner, s.ID = cmp.Or(s.Owner, owner), cmp.Or(s.ID, id) }
func (s *slogan) Reach() playlists.Reach    { return playlists.Reach{ByUse: true} }

func (s *slogan) Refs() []playlists.Ref {
	where := "slogans/" + s.ID
	refs := []playlists.Ref{{Key: playlists.Key{Kind: playlists.KindOwner, ID: s.Owner}, Field: where + ".owner"}}
	if s.Message == "" {
		return refs
	}
	return append(refs, playlists.Ref{Key: playlists.Key{Kind: playlists.KindMessage, Owner: s.Owner, ID: s.Message},
		Field: where + ".message"})
}

// A new kind is one row of the table: a manifest, the routes, the commands, the
// quota, the log and the rules about references have it without another line.
func TestANewKind(t *testing.T) {
	everybody := func(*playlists.Principal, string) bool { return true }
	own := func(p *playlists.Principal, owner string) bool { return p.Owner == owner }
	before := slices.Clone(playlists.Kinds)
	t.Cleanup(func() { playlists.Kinds = before }) // after the controller has stopped
	playlists.Kinds = append(slices.Clone(before), playlists.KindInfo{Kind: kindSlogan,
		Plural: "slogans", Document: "Slogan",
		New: func() playlists.Thing { return new(slogan) }, OfOwner: true, Most: 2, Logged: true, Read: everybody,
		Write: own})

	data := controllerOn(t)
	write := func(text string) string {
		t.Helper()
		file := filepath.Join(t.TempDir(), "slogans.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	message := write("kind: Message\nid: mask\nowner: public\nvariants: [{lang: vi, body: Đeo khẩu trang}]\n")
	command(t, 0, data, "apply", "-f", message)
	one := write("kind: Slogan\nid: s1\nowner: public\nwords: Khẩu trang – Khử khuẩn\nmessage: mask\n")
	if out := command(t, 0, data, "apply", "-f", one); out != "slogan public/s1 created\n" {
		t.Errorf("apply: %s", out)
	}
	if out := command(t, 0, data, "apply", "-f", one); out != "slogan public/s1 unchanged\n" {
		t.Errorf("apply again: %s", out)
	}
	if out := command(t, 0, data, "get", "slogans",
		"public"); out != "kind: Slogan\nid: s1\nowner: public\nwords: Khẩu trang – Khử khuẩn\nmessage: mask\n" {
		t.Errorf("get: %s", out)
	}
	command(t, 1, data, "diff", "-f", write("kind: Slogan\nid: s1\nowner: public\nwords: Khoảng cách\n"))
	// It names what must exist, and what may not be deleted meanwhile.
	command(t, 1, data, "apply", "-f", write("kind: Slogan\nid: lost\nowner: public\nwords: Ở đâu\nmessage: nothing\n"))
	command(t, 1, data, "delete", "-f", message)
	// An owner may have two.
	command(t, 0, data, "apply", "-f", write("kind: Slogan\nid: s2\nowner: public\nwords: Hai\n"))
	command(t, 1, data, "apply", "-f", write("kind: Slogan\nid: s3\nowner: public\nwords: Ba\n"))
	if out := command(t, 0, data, "delete", "-f", one); out != "slogan public/s1 deleted\n" {
		t.Errorf("delete: %s", out)
	}
	command(t, 0, data, "delete", "-f", message)
	log := strings.Split(command(t, 0, data, "audit", "list"), "\n")
	for _, want := range []string{"create", "delete"} {
		if !slices.ContainsFunc(log,
			func(line string) bool { return strings.Contains(line, want) && strings.Contains(line, "slogan") }) {
			t.Errorf("the log has no %s of a slogan:\n%s", want, strings.Join(log, "\n"))
		}
	}
	command(t, 0, data, "audit", "verify")
}
