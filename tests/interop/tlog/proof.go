// Package tlog reads the files of proto/FORMAT.md section 8 and of C2SP
// tlog-proof with Go's own transparency log code (golang.org/x/mod/sumdb): an
// implementation that shares nothing with this project's.
package tlog

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A Proof is a proof file, read.
type Proof struct {
	Kind  byte // 'I', 'C'
	Extra []byte
	From  int64
	Way   []tlog.Hash
	Note  []byte
	Old   []byte
}

var errForm = errors.New("not a proof file")

// ReadProof reads a file of either kind.
func ReadProof(text []byte) (*Proof, error) {
	head, rest, ok := bytes.Cut(text, []byte("\n\n"))
	if !ok {
		return nil, errForm
	}
	lines := strings.Split(string(head), "\n")
	p := new(Proof)
	switch lines[0] {
	case "c2sp.org/tlog-proof@v1":
		p.Kind = 'I'
	case "cryptounit/consistency-proof@v1":
		p.Kind = 'C'
	default:
		return nil, errForm
	}
	lines = lines[1:]
	if p.Kind == 'I' && len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		extra, err := base64.StdEncoding.Strict().DecodeString(lines[0][6:])
		if err != nil {
			return nil, err
		}
		p.Extra = extra
		lines = lines[1:]
	}
	word := map[byte]string{'I': "index ", 'C': "old "}[p.Kind]
	if len(lines) == 0 || !strings.HasPrefix(lines[0], word) {
		return nil, errForm
	}
	from, err := strconv.ParseInt(lines[0][len(word):], 10, 64)
	if err != nil {
		return nil, err
	}
	p.From = from
	for _, line := range lines[1:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		p.Way = append(p.Way, h)
	}
	p.Note = rest
	if p.Kind == 'C' {
		// text, empty line, signatures, empty line, the old one
		parts := bytes.SplitN(rest, []byte("\n\n"), 3)
		if len(parts) != 3 {
			return nil, errForm
		}
		n := len(parts[0]) + 2 + len(parts[1]) + 1
		p.Note, p.Old = rest[:n], rest[n+1:]
	}
	return p, nil
}

// Text writes the file.
func (p *Proof) Text() []byte {
	var b bytes.Buffer
	if p.Kind == 'I' {
		b.WriteString("c2sp.org/tlog-proof@v1\n")
		if p.Extra != nil {
			fmt.Fprintf(&b, "extra %s\n",
				base64.StdEncoding.EncodeToString(p.Extra))
		}
		fmt.Fprintf(&b, "index %d\n", p.From)
	} else {
		b.WriteString("cryptounit/consistency-proof@v1\n")
		fmt.Fprintf(&b, "old %d\n", p.From)
	}
	for _, h := range p.Way {
		b.WriteString(h.String() + "\n")
	}
	b.WriteByte('\n')
	b.Write(p.Note)
	if p.Kind == 'C' {
		b.WriteByte('\n')
		b.Write(p.Old)
	}
	return b.Bytes()
}

// OpenCheckpoint verifies the log's signature and reads the tree head.
func OpenCheckpoint(msg []byte, v note.Verifier) (tlog.Tree, error) {
	n, err := note.Open(msg, note.VerifierList(v))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[0] != v.Name() {
		return tlog.Tree{}, errors.New("not a checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	h, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: h}, err
}

// CheckpointText is what a log signs.
func CheckpointText(origin string, t tlog.Tree) string {
	return fmt.Sprintf("%s\n%d\n%s\n", origin, t.N, t.Hash)
}

// CheckInclusion checks that the record is where the proof says.
func (p *Proof) CheckInclusion(v note.Verifier, record []byte) error {
	t, err := OpenCheckpoint(p.Note, v)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(p.Way, t.N, t.Hash, p.From,
		tlog.RecordHash(record))
}

// CheckConsistency checks that the old checkpoint's tree begins the new one's.
func (p *Proof) CheckConsistency(v note.Verifier) error {
	t, err := OpenCheckpoint(p.Note, v)
	if err != nil {
		return err
	}
	old, err := OpenCheckpoint(p.Old, v)
	if err != nil {
		return err
	}
	if old.N != p.From {
		return errors.New("another old size")
	}
	return tlog.CheckTree(p.Way, t.N, t.Hash, old.N, old.Hash)
}

// Extra is ProofExtra of audit.proto.
type Extra struct {
	Record, Context []byte
	ContextProof    []tlog.Hash
}

// ReadExtra reads the three fields, each of wire type 2.
func ReadExtra(b []byte) (*Extra, error) {
	x := new(Extra)
	for len(b) > 0 {
		key := b[0]
		n, used := binary.Uvarint(b[1:])
		if used <= 0 || uint64(len(b)-1-used) < n {
			return nil, errForm
		}
		value := b[1+used : 1+used+int(n)]
		b = b[1+used+int(n):]
		switch key {
		case 0x0a:
			x.Record = value
		case 0x12:
			x.Context = value
		case 0x1a:
			var h tlog.Hash
			if len(value) != len(h) {
				return nil, errForm
			}
			copy(h[:], value)
			x.ContextProof = append(x.ContextProof, h)
		default:
			return nil, errForm
		}
	}
	return x, nil
}

// Sequence is the first field of a record: 09, then eight bytes.
func Sequence(record []byte) (int64, error) {
	if len(record) < 9 || record[0] != 9 {
		return 0, errForm
	}
	return int64(binary.LittleEndian.Uint64(record[1:])), nil
}

// Context is the sequence that a compact record names (Record.compact is field
// 23, its context field 1); false: it is none.
func Context(record []byte) (int64, bool) {
	for b := record; len(b) > 0; {
		key, used := binary.Uvarint(b)
		if used <= 0 {
			return 0, false
		}
		b = b[used:]
		n := uint64(8) // of a fixed64
		if key&7 != 1 {
			if n, used = binary.Uvarint(b); used <= 0 {
				return 0, false
			}
			b = b[used:]
		}
		if key&7 == 0 {
			continue
		}
		if uint64(len(b)) < n {
			return 0, false
		}
		if key == 23<<3|2 && n > 1 && b[0] == 8 {
			named, used := binary.Uvarint(b[1:n])
			return int64(named), used > 0
		}
		b = b[n:]
	}
	return 0, false
}

// Bytes writes the three fields.
func (x *Extra) Bytes() []byte {
	var out []byte
	put := func(key byte, p []byte) {
		var n [binary.MaxVarintLen64]byte
		out = append(out, key)
		out = append(out, n[:binary.PutUvarint(n[:], uint64(len(p)))]...)
		out = append(out, p...)
	}
	put(0x0a, x.Record)
	if x.Context != nil {
		put(0x12, x.Context)
	}
	for _, h := range x.ContextProof {
		put(0x1a, append([]byte(nil), h[:]...))
	}
	return out
}

// A Witness cosigns checkpoints and checks cosignatures: c2sp.org
// tlog-cosignature, Ed25519. It is a note.Signer and a note.Verifier.
type Witness struct {
	name string
	hash uint32
	key  ed25519.PrivateKey
	pub  ed25519.PublicKey
	time uint64
}

func keyHash(name string, kind byte, pub []byte) uint32 {
	in := append([]byte(name+"\n"), kind)
	sum := sha256.Sum256(append(in, pub...))
	return binary.BigEndian.Uint32(sum[:])
}

// NewWitness makes one whose cosignatures say this time.
func NewWitness(name string, seed []byte, time uint64) *Witness {
	key := ed25519.NewKeyFromSeed(seed)
	pub := key.Public().(ed25519.PublicKey)
	return &Witness{name, keyHash(name, 4, pub), key, pub, time}
}

// Line is its verifier key.
func (w *Witness) Line() string {
	return fmt.Sprintf("%s+%08x+%s\n", w.name, w.hash,
		base64.StdEncoding.EncodeToString(append([]byte{4}, w.pub...)))
}

func cosigned(time uint64, msg []byte) []byte {
	return append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", time)), msg...)
}

// Name, KeyHash, Sign and Verify are what package note asks for.
func (w *Witness) Name() string    { return w.name }
func (w *Witness) KeyHash() uint32 { return w.hash }

func (w *Witness) Sign(msg []byte) ([]byte, error) {
	var sig [8]byte
	binary.BigEndian.PutUint64(sig[:], w.time)
	return append(sig[:], ed25519.Sign(w.key, cosigned(w.time, msg))...), nil
}

func (w *Witness) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	return ed25519.Verify(w.pub,
		cosigned(binary.BigEndian.Uint64(sig), msg), sig[8:])
}
