package sqldb

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// There are many kept documents: 10,000 signs with one program a day make four million documents in 13 months. Most
// of a program is its frames, items and loops, which are the same for many signs and days. So these three members
// of a payload are stored separately and only once (table parts). The rest goes into the document's row, deflated
// and without base64. Reading a document returns the same JWS, byte for byte. archive checks this and stores the
// whole JWS if the split form would not give the same bytes, so the splitting code need not accept all JSON.

// shared lists the payload members that are stored in table parts, in the order of their columns.
var shared = [...]string{"frames", "items", "loops"}

// parts holds the JSON texts of the shared members. An entry is nil if the member was not cut out.
type parts [len(shared)][]byte

// The first byte of an archived document is its form.
const (
	formWhole = 0 // followed by the deflated JWS
	formSplit = 1 // followed by 64 bytes of signature and, deflated, header, cuts and the rest of the payload
)

// minPart is the minimum size in bytes of a text that gets a row of its own.
const minPart = 64

// maxInflated limits the size in bytes of an inflated text, so that a forged backup cannot exhaust memory.
// Documents have at most 256 KiB.
const maxInflated = 16 << 20

const signatureSize = 64

var strictBase64 = base64.RawURLEncoding.Strict()

// archive returns the compact form of a JWS and the members cut out of it.
func archive(jws []byte) (compact []byte, cut parts) {
	if compact, cut = split(jws); compact != nil {
		if back, err := restore(compact, cut); err == nil && bytes.Equal(back, jws) {
			return compact, cut
		}
	}
	return deflate([]byte{formWhole}, jws), parts{}
}

func split(jws []byte) (compact []byte, cut parts) {
	fields := bytes.Split(jws, []byte("."))
	if len(fields) != 3 {
		return nil, cut
	}
	var raw [3][]byte
	for i, f := range fields {
		var err error
		if raw[i], err = strictBase64.AppendDecode(nil, f); err != nil {
			return nil, cut
		}
	}
	header, payload, signature := raw[0], raw[1], raw[2]
	if len(signature) != signatureSize {
		return nil, cut
	}
	text := binary.AppendUvarint(nil, uint64(len(header)))
	text = append(text, header...)
	var rest []byte
	from := 0
	for _, m := range members(payload) {
		for i, name := range shared {
			if string(m.name) != name || cut[i] != nil || m.end-m.begin < minPart {
				continue
			}
			cut[i] = payload[m.begin:m.end]
			rest = append(rest, payload[from:m.begin]...)
			from = m.end
			text = binary.AppendUvarint(text, uint64(i+1))
			text = binary.AppendUvarint(text, uint64(len(rest)))
		}
	}
	text = append(text, 0)
	text = append(append(text, rest...), payload[from:]...)
	return deflate(append([]byte{formSplit}, signature...), text), cut
}

var errArchive = errors.New("an archived document is damaged; restore the database from a backup")

// restore is the inverse of archive.
func restore(compact []byte, cut parts) ([]byte, error) {
	if len(compact) == 0 {
		return nil, errArchive
	}
	form, compact := compact[0], compact[1:]
	if form == formWhole {
		return inflate(compact)
	}
	if form != formSplit || len(compact) < signatureSize {
		return nil, errArchive
	}
	signature := compact[:signatureSize]
	text, err := inflate(compact[signatureSize:])
	if err != nil {
		return nil, err
	}
	r := bytes.NewReader(text)
	header, err := readField(r)
	if err != nil {
		return nil, err
	}
	type cutAt struct{ part, at uint64 }
	var cuts []cutAt
	for {
		part, err := binary.ReadUvarint(r)
		if err != nil || part > uint64(len(shared)) || len(cuts) > len(shared) {
			return nil, errArchive
		}
		if part == 0 {
			break
		}
		at, err := binary.ReadUvarint(r)
		if err != nil {
			return nil, errArchive
		}
		cuts = append(cuts, cutAt{part - 1, at})
	}
	rest := text[len(text)-r.Len():]
	var payload []byte
	from := uint64(0)
	for _, p := range cuts {
		if p.at < from || p.at > uint64(len(rest)) || cut[p.part] == nil {
			return nil, errArchive
		}
		payload = append(append(payload, rest[from:p.at]...), cut[p.part]...)
		from = p.at
	}
	payload = append(payload, rest[from:]...)
	jws := make([]byte, 0, strictBase64.EncodedLen(len(header))+strictBase64.EncodedLen(len(payload))+
		strictBase64.EncodedLen(signatureSize)+2)
	jws = append(strictBase64.AppendEncode(jws, header), '.')
	jws = append(strictBase64.AppendEncode(jws, payload), '.')
	return strictBase64.AppendEncode(jws, signature), nil
}

func readField(r *bytes.Reader) ([]byte, error) {
	n, err := binary.ReadUvarint(r)
	if err != nil || n > uint64(r.Len()) {
		return nil, errArchive
	}
	b := make([]byte, n)
	_, err = io.ReadFull(r, b)
	return b, err
}

// member is a member of a JSON object. Its value is text[begin:end].
type member struct {
	name       []byte
	begin, end int
}

// members returns the top-level members of the JSON object in text. If text is not a JSON object, the result is
// arbitrary but has valid offsets, and archive detects a wrong cut.
func members(text []byte) (all []member) {
	depth, value := 0, false
	var m member
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"':
			end := i + 1
			for end < len(text) && text[end] != '"' {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			if depth == 1 && !value && end < len(text) {
				m.name = text[i+1 : end]
			}
			i = end
		case ':':
			if depth == 1 && !value {
				m.begin, value = i+1, true
			}
		case '{', '[':
			depth++
		case '}', ']', ',':
			if depth == 1 && value {
				m.end, value = i, false
				all = append(all, m)
			}
			if c != ',' {
				depth--
			}
		}
	}
	return all
}

var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(io.Discard, flate.BestSpeed)
	if err != nil {
		panic(err) // only an invalid level is an error
	}
	return w
}}

// deflate appends the deflated text to b.
func deflate(b, text []byte) []byte {
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	out := bytes.NewBuffer(b)
	w.Reset(out)
	_, err := w.Write(text)
	if err := errors.Join(err, w.Close()); err != nil {
		panic(err) // writing to a bytes.Buffer never fails
	}
	return out.Bytes()
}

var inflaters = sync.Pool{New: func() any { return flate.NewReader(nil) }}

func inflate(b []byte) ([]byte, error) {
	r := inflaters.Get().(io.Reader)
	defer inflaters.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(b), nil); err != nil {
		return nil, fmt.Errorf("%w (%w)", errArchive, err)
	}
	text := bytes.NewBuffer(make([]byte, 0, 4*len(b)+bytes.MinRead))
	n, err := text.ReadFrom(io.LimitReader(r, maxInflated+1))
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", errArchive, err)
	}
	if n > maxInflated {
		return nil, errArchive
	}
	return text.Bytes(), nil
}
