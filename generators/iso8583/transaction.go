package iso8583

import (
	"fmt"
	"slices"
	"time"

	"github.com/lakeproof/lakeproof/generators/identifier"
)

// Transaction is what the messages of one card transaction tell. What is zero
// or empty is left out, unless the comment says otherwise.
type Transaction struct {
	PAN        string // field 2, or 102 if it is a token: what identifier.AppendPAN makes
	Processing uint32 // 3, always: 0 purchase, 10000 cash, 200000 refund
	Amount     int64  // 4, always: minor units of the currency, below 10^12
	Billing    int64  // 6: the same in the cardholder's currency
	Sent       int64  // 7, always: microseconds since the Unix epoch, UTC
	Trace      uint32 // 11, always: below 1,000,000
	Local      int64  // 12 and 13, always: Sent plus the terminal's offset from UTC
	Expiry     uint16 // 14: year and month, 2912
	MCC        uint16 // 18: ISO 18245
	Country    uint16 // 19: of the acquirer, ISO 3166-1 numeric
	EntryMode  uint16 // 22, in requests: 51 chip, 71 contactless, 812 e-commerce
	Condition  uint8  // 25, always: 0 normal, 8 mail or telephone, 59 e-commerce
	Acquirer   string // 32, up to 11 digits
	Reference  string // 37, up to 12 letters and digits
	AuthCode   string // 38, in responses and reversals: 6 letters and digits
	Response   string // 39, in responses and reversals: 00 approved, 51 no funds
	Terminal   string // 41, up to 8 characters
	Merchant   string // 42, up to 15 characters
	Name       string // 43, in requests and advices: cut to 25 characters
	City       string // 43: cut to 13
	Place      string // 43: ISO 3166-1 alpha-2
	Currency   string // 49, always: ISO 4217, the three digits
	BilledIn   string // 51, when there is a Billing
	Original   Original
	Actual     int64 // 95, in a partial reversal: what remains of the amount
}

// Original says which message a reversal is about: field 90.
type Original struct {
	Type     MTI
	Trace    uint32
	Sent     int64
	Acquirer string // up to 11 digits
}

// Append appends the message of a type. On an error dst comes back as it was:
// a card number that may be somebody's, an amount or a text that does not fit
// its field, a type that is not one of the six.
func (c *Codec) Append(dst []byte, mti MTI, t *Transaction) ([]byte, error) {
	if !slices.Contains([]MTI{
		AuthorisationRequest, AuthorisationResponse, FinancialRequest, FinancialResponse, ReversalAdvice, ReversalResponse,
	}, mti) {
		return dst, fmt.Errorf("writing ISO 8583 message %v: %w", mti, errType)
	}
	if err := identifier.RefuseIssued(t.PAN); err != nil {
		return dst, fmt.Errorf("writing ISO 8583 message %v: field 2: %w", mti, err)
	}
	reversal := mti == ReversalAdvice || mti == ReversalResponse
	token := !onlyDigits(t.PAN)
	w := writer{codec: c, buf: dst, at: len(dst)}
	w.begin(mti, token || reversal)
	if !token {
		w.text(2, t.PAN)
	}
	w.number(3, uint64(t.Processing))
	w.number(4, uint64(t.Amount))
	w.optional(6, uint64(t.Billing))
	w.times(t)
	if mti/10%2 == 1 { // the third digit is odd in answers
		w.response(t)
	} else {
		w.request(t, reversal)
	}
	w.text(48, Marker)
	w.text(49, t.Currency)
	if t.Billing != 0 {
		w.text(51, t.BilledIn)
	}
	if reversal {
		w.original(t)
	}
	if token {
		w.text(102, t.PAN)
	}
	return w.end(mti, dst)
}

// request writes the fields 14 to 43 of a message towards the issuer.
func (w *writer) request(t *Transaction, reversal bool) {
	w.optional(14, uint64(t.Expiry))
	w.optional(18, uint64(t.MCC))
	w.optional(19, uint64(t.Country))
	w.optional(22, uint64(t.EntryMode))
	w.number(25, uint64(t.Condition))
	w.text(32, t.Acquirer)
	w.text(37, t.Reference)
	if reversal {
		w.text(38, t.AuthCode)
		w.text(39, t.Response)
	}
	w.text(41, t.Terminal)
	w.text(42, t.Merchant)
	w.place(t)
}

// response writes the fields 18 to 42 of a message from the issuer.
func (w *writer) response(t *Transaction) {
	w.optional(18, uint64(t.MCC))
	w.optional(19, uint64(t.Country))
	w.number(25, uint64(t.Condition))
	w.text(32, t.Acquirer)
	w.text(37, t.Reference)
	w.text(38, t.AuthCode)
	w.text(39, t.Response)
	w.text(41, t.Terminal)
	w.text(42, t.Merchant)
}

// writer appends fields and remembers which; after the first error it goes on
// without effect.
type writer struct {
	codec  *Codec
	buf    []byte
	at     int // where the message begins
	bitmap [2]uint64
	failed int // the field that did not fit, or 0
	err    error
}

// begin writes the type and makes room for the bitmaps.
func (w *writer) begin(mti MTI, second bool) {
	w.buf = append(w.buf, "0000"...)
	putNumber(w.buf[w.at:], uint64(mti))
	w.buf = append(w.buf, "0000000000000000"...)
	if second {
		w.bitmap[0] |= 1 << 63
		w.buf = append(w.buf, "0000000000000000"...)
	}
}

// end fills in the bitmaps.
func (w *writer) end(mti MTI, dst []byte) ([]byte, error) {
	if w.failed != 0 {
		return dst, fmt.Errorf("writing ISO 8583 message %v: field %d (%s): %w",
			mti, w.failed, w.codec.fields[w.failed].Name, w.err)
	}
	putHex(w.buf[w.at+4:], w.bitmap[0])
	if w.bitmap[0]>>63 == 1 {
		putHex(w.buf[w.at+20:], w.bitmap[1])
	}
	return w.buf, nil
}

func (w *writer) fail(n int, err error) {
	if w.failed == 0 {
		w.failed, w.err = n, err
	}
}

func (w *writer) mark(n int) { w.bitmap[(n-1)/64] |= 1 << (63 - (n-1)%64) }

// grow appends length spaces and returns them.
func (w *writer) grow(length int) []byte {
	const spaces = "                                          " // 42, the longest fixed field
	from := len(w.buf)
	w.buf = append(w.buf, spaces[:length]...)
	return w.buf[from:]
}

// number writes a fixed field of digits. A negative amount comes as a number
// that is too large.
func (w *writer) number(n int, value uint64) {
	if putNumber(w.grow(w.codec.fields[n].Length), value) != 0 {
		w.fail(n, ErrLength)
	}
	w.mark(n)
}

func (w *writer) optional(n int, value uint64) {
	if value != 0 {
		w.number(n, value)
	}
}

// text writes a field of characters, if there are any.
func (w *writer) text(n int, value string) {
	if value == "" {
		return
	}
	f := &w.codec.fields[n]
	if len(value) > f.Length {
		w.fail(n, ErrLength)
		return
	}
	for i := range len(value) {
		if !f.Kind.holds(value[i], i) {
			w.fail(n, ErrCharacter)
			return
		}
	}
	w.mark(n)
	if f.Prefix == 0 {
		copy(w.grow(f.Length), value)
		return
	}
	putNumber(w.grow(f.Prefix), uint64(len(value)))
	w.buf = append(w.buf, value...)
}

// times writes the fields 7, 11, 12 and 13.
func (w *writer) times(t *Transaction) {
	putTime(w.grow(10), t.Sent)
	w.mark(7)
	w.number(11, uint64(t.Trace))
	var local [10]byte
	putTime(local[:], t.Local)
	w.buf = append(w.buf, local[4:]...)
	w.buf = append(w.buf, local[:4]...)
	w.mark(12)
	w.mark(13)
}

// place writes field 43: name, city and country.
func (w *writer) place(t *Transaction) {
	if t.Name == "" && t.City == "" && t.Place == "" {
		return
	}
	for _, part := range [...]string{t.Name, t.City, t.Place} {
		for i := range len(part) {
			if !ANS.holds(part[i], i) {
				w.fail(43, ErrCharacter)
			}
		}
	}
	out := w.grow(40)
	copy(out[:25], t.Name)
	copy(out[25:38], t.City)
	copy(out[38:], t.Place)
	w.mark(43)
}

// original writes the fields 90 and, of a partial reversal, 95.
func (w *writer) original(t *Transaction) {
	o := &t.Original
	out := w.grow(42)
	putNumber(out[:4], uint64(o.Type))
	if putNumber(out[4:10], uint64(o.Trace)) != 0 || len(o.Acquirer) > 11 {
		w.fail(90, ErrLength)
		return
	}
	putTime(out[10:20], o.Sent)
	if !onlyDigits(o.Acquirer) {
		w.fail(90, ErrCharacter)
	}
	copy(out[20:42], "0000000000000000000000") // acquirer and forwarder, 11 digits each
	copy(out[31-len(o.Acquirer):31], o.Acquirer)
	w.mark(90)
	if t.Actual == 0 {
		return
	}
	out = w.grow(42)
	if putNumber(out[:12], uint64(t.Actual)) != 0 {
		w.fail(95, ErrLength)
	}
	copy(out[12:], "000000000000C00000000C00000000") // in settlement, and the fees
	w.mark(95)
}

// putNumber writes the lowest digits of a number over the whole of out and
// returns what is left.
func putNumber(out []byte, n uint64) (rest uint64) {
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = byte('0' + n%10)
		n /= 10
	}
	return n
}

// putTime writes MMDDhhmmss.
func putTime(out []byte, micros int64) {
	t := time.UnixMicro(micros).UTC()
	month, day := int(t.Month()), t.Day()
	hour, minute, second := t.Clock()
	putNumber(out[:10], uint64((((month*100+day)*100+hour)*100+minute)*100+second))
}

func onlyDigits(text string) bool {
	for i := range len(text) {
		if text[i]-'0' > 9 {
			return false
		}
	}
	return true
}
