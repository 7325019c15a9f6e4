// Package iso8583 writes and reads card messages of ISO 8583:1987 in the ASCII
// packing: authorisation 0100 and 0110, financial 0200 and 0210, reversal advice
// 0420 and 0430.
//
// A value flows like this: a generator fills a [Transaction], [Codec.Append]
// appends one message of the wanted type to the caller's buffer; at the other
// end [Codec.Parse] finds the fields of a message without copying them. Neither
// allocates when there is room.
//
// The packing, as jPOS's iso87ascii and most test tools have it: the type is
// four digits; the bitmap is 16 hexadecimal digits, and 16 more when field 1
// says that there are fields above 64; numbers are right-justified with zeros
// and texts left-justified with spaces; a variable field has its length before
// it in two or three digits; binary fields are hexadecimal digits. There is no
// length header before the message: that belongs to the connection. The table
// is [Codec.Field].
//
// Field 2 follows the safety of [identifier.RefuseIssued]: Append refuses
// whatever may be somebody's card. A token goes to field 102 (account
// identification), because field 2 takes digits only; tracks (35, 36, 45), PIN
// (52) and chip data (55) are never written. Field 48 (private) says SYNTHETIC
// in each message.
//
// It keeps no connections, computes no MAC, and knows no network's dialect.
package iso8583

import (
	"fmt"
	"strings"
)

// Marker is field 48 of each message.
const Marker = "SYNTHETIC"

// MTI is a message type identifier: the four digits as a number.
type MTI uint16

// The message types that [Codec.Append] writes.
const (
	AuthorisationRequest  MTI = 100
	AuthorisationResponse MTI = 110
	FinancialRequest      MTI = 200
	FinancialResponse     MTI = 210
	ReversalAdvice        MTI = 420
	ReversalResponse      MTI = 430
)

// String returns the four digits.
func (m MTI) String() string { return fmt.Sprintf("%04d", uint16(m)) }

// Kind is what a field may hold.
type Kind uint8

// The kinds, named as in the standard.
const (
	N   Kind = iota // digits
	AN              // letters, digits and spaces
	ANS             // any printable character
	XN              // C or D for credit or debit, then digits
	Z               // track data: digits, = and D
	B               // bits, two hexadecimal digits for eight
)

// Field is a row of the table.
type Field struct {
	Name   string
	Kind   Kind
	Length int // characters, at most where Prefix is not 0
	Prefix int // digits of the length before the value; 0 for a fixed length
}

// table is the data elements of ISO 8583:1987, one a line: kind, length (with a
// dot for each digit of the length that goes before the value) and name; ranges
// of the same kind have their last number after a dash.
const table = `2 N ..19 primary account number
3 N 6 processing code
4 N 12 amount, transaction
5 N 12 amount, settlement
6 N 12 amount, cardholder billing
7 N 10 transmission date and time
8 N 8 amount, cardholder billing fee
9 N 8 conversion rate, settlement
10 N 8 conversion rate, cardholder billing
11 N 6 systems trace audit number
12 N 6 time, local transaction
13 N 4 date, local transaction
14 N 4 date, expiration
15 N 4 date, settlement
16 N 4 date, conversion
17 N 4 date, capture
18 N 4 merchant's type
19 N 3 acquiring institution country code
20 N 3 primary account number country code
21 N 3 forwarding institution country code
22 N 3 point of service entry mode
23 N 3 card sequence number
24 N 3 network international identifier
25 N 2 point of service condition code
26 N 2 point of service PIN capture code
27 N 1 authorisation identification response length
28-31 XN 9 fee or processing fee
32 N ..11 acquiring institution identification code
33 N ..11 forwarding institution identification code
34 ANS ..28 primary account number, extended
35 Z ..37 track 2 data
36 Z ...104 track 3 data
37 AN 12 retrieval reference number
38 AN 6 authorisation identification response
39 AN 2 response code
40 AN 3 service restriction code
41 ANS 8 card acceptor terminal identification
42 ANS 15 card acceptor identification code
43 ANS 40 card acceptor name and location
44 ANS ..25 additional response data
45 ANS ..76 track 1 data
46-48 ANS ...999 additional data
49 AN 3 currency code, transaction
50 AN 3 currency code, settlement
51 AN 3 currency code, cardholder billing
52 B 16 personal identification number data
53 N 16 security related control information
54 ANS ...120 additional amounts
55-63 ANS ...999 reserved
64 B 16 message authentication code
66 N 1 settlement code
67 N 2 extended payment code
68-70 N 3 country of an institution, or network management code
71-72 N 4 message number
73 N 6 date, action
74-81 N 10 number of messages
82-85 N 12 amount of fees
86-89 N 16 amount of messages
90 N 42 original data elements
91 AN 1 file update code
92 AN 2 file security code
93 AN 5 response indicator
94 AN 7 service indicator
95 AN 42 replacement amounts
96 B 16 message security code
97 XN 17 amount, net settlement
98 ANS 25 payee
99 N ..11 settlement institution identification code
100 N ..11 receiving institution identification code
101 ANS ..17 file name
102 ANS ..28 account identification 1
103 ANS ..28 account identification 2
104 ANS ...100 transaction description
105-127 ANS ...999 reserved
128 B 16 message authentication code
`

// last is the highest field.
const last = 128

// Codec writes and reads messages. It never changes, so many goroutines may use
// one.
type Codec struct{ fields [last + 1]Field }

// New returns a codec.
func New() *Codec {
	c := &Codec{}
	for line := range strings.Lines(table) {
		parts := strings.SplitN(strings.TrimSpace(line), " ", 4)
		f := Field{Name: parts[3], Prefix: strings.Count(parts[2], ".")}
		for i, name := range [...]string{N: "N", AN: "AN", ANS: "ANS", XN: "XN", Z: "Z", B: "B"} {
			if name == parts[1] {
				f.Kind = Kind(i)
			}
		}
		f.Length = decimal(strings.TrimLeft(parts[2], "."))
		first, until, isRange := strings.Cut(parts[0], "-")
		if !isRange {
			until = first
		}
		for n := decimal(first); n <= decimal(until); n++ {
			c.fields[n] = f
		}
	}
	return c
}

// decimal reads a number of the table.
func decimal(text string) (n int) {
	for i := range len(text) {
		n = n*10 + int(text[i]-'0')
	}
	return n
}

// Field returns row n of the table: 2 to 128 without 65, which would begin a
// third bitmap. Others have no name.
func (c *Codec) Field(n int) Field {
	if n < 0 || n > last {
		return Field{}
	}
	return c.fields[n]
}

// holds reports whether a character may be in a field of the kind, at the place.
func (k Kind) holds(char byte, at int) bool {
	digit := char-'0' <= 9
	switch k {
	case N:
		return digit
	case AN:
		return digit || char|0x20-'a' <= 25 || char == ' '
	case XN:
		if at == 0 {
			return char == 'C' || char == 'D'
		}
		return digit
	case Z:
		return digit || char == '=' || char == 'D'
	case B:
		return digit || char|0x20-'a' <= 5
	default:
		return char >= ' ' && char <= '~'
	}
}
