package iso20022_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/identifier"
	"github.com/lakeproof/lakeproof/generators/iso20022"
)

const day = 86_400_000_000

// sample makes messages n of a seed: every optional element is there in some.
type sample struct {
	r     generators.Rand
	drawn uint64
	ibans []*identifier.IBAN
}

func newSample(t testing.TB, n uint64) *sample {
	s := &sample{r: generators.Seed(42).Rand("iso20022.test").Entity(n)}
	for _, country := range identifier.IBANCountries() {
		g, err := identifier.NewIBAN(country, 42)
		if err != nil {
			t.Fatal(err)
		}
		s.ibans = append(s.ibans, g)
	}
	return s
}

func (s *sample) draw() uint64 { s.drawn++; return s.r.At(s.drawn) }

func (s *sample) pick(texts ...string) string { return texts[s.draw()%uint64(len(texts))] }

func (s *sample) maybe(text string) string { return s.pick(text, text, "") }

func (s *sample) party() iso20022.Party {
	return iso20022.Party{
		Name: s.pick("Anna Müller", "Smith & Sons <Ltd>", "Ελένη Παπαδοπούλου", "Борис Щукин", "日本商事", "O'Neill", "",
			strings.Repeat("A very long name, Ltd. ", 9)),
		Street: s.maybe("Calle de Alcalá"), Building: s.maybe("12½"), PostCode: s.maybe("28014"), Town: s.maybe("Łódź"),
		Province: s.maybe("ON"), Country: s.maybe("DE"), LEI: s.maybe(string(identifier.AppendLEI(nil, s.draw()))),
	}
}

func (s *sample) account() string {
	if s.draw()%8 == 0 {
		return fmt.Sprintf("%09d", s.draw()%1_000_000_000)
	}
	return string(s.ibans[s.draw()%uint64(len(s.ibans))].Append(nil, s.draw()))
}

func (s *sample) bic() string {
	return string(identifier.AppendBIC(nil, s.pick("DE", "GB", "NL"), s.draw()))
}

func (s *sample) uetr() string {
	return s.maybe(string(identifier.AppendUETR(nil, s.draw(), s.draw())))
}

func (s *sample) id(prefix string) string { return fmt.Sprintf("%s-%d", prefix, s.draw()%1e12) }

func (s *sample) time() int64 { return 1_767_225_600_000_000 + int64(s.draw()%(365*day)) }

func (s *sample) amount() int64 { return int64(1 + s.draw()%1_000_000_000_000) }

func (s *sample) payments(currency string) []iso20022.Payment {
	var all []iso20022.Payment
	for range 1 + s.draw()%4 {
		p := iso20022.Payment{
			InstructionID: s.maybe(s.id("I")), EndToEndID: s.maybe(s.id("E")), TransactionID: s.maybe(s.id("T")), UETR: s.uetr(),
			Amount: s.amount(), Charges: s.pick("", "SHAR", "DEBT", "CRED", "SLEV"),
			Debtor: s.party(), DebtorAccount: s.maybe(s.account()), DebtorAgent: s.maybe(s.bic()),
			Creditor: s.party(), CreditorAccount: s.maybe(s.account()), CreditorAgent: s.maybe(s.bic()),
			Purpose: s.pick("", "SALA", "SUPP"), Remittance: s.maybe("Invoice #2026-17; 10 % Rabatt für Zoë " + strings.Repeat("x", 120)),
		}
		if currency != "USD" && s.draw()%3 == 0 {
			p.Instructed, p.InstructedIn, p.Rate = s.amount(), "USD", int64(1+s.draw()%99_999_999_999)
		}
		all = append(all, p)
	}
	return all
}

func (s *sample) transfer() *iso20022.Transfer {
	currency := s.pick("EUR", "JPY", "KWD", "USD")
	return &iso20022.Transfer{
		MessageID: s.id("M"), Created: s.time(), Settled: s.time(), Currency: currency, ClearingSystem: s.maybe("LAB"),
		Sender: s.maybe(s.bic()), Receiver: s.maybe(s.bic()), Payments: s.payments(currency),
	}
}

func (s *sample) order() *iso20022.Order {
	currency := s.pick("EUR", "JPY", "KWD")
	return &iso20022.Order{
		MessageID: s.id("M"), BatchID: s.id("B"), Created: s.time(), Execution: s.time(), Currency: currency,
		Debtor: s.party(), Account: s.account(), Agent: s.maybe(s.bic()), Payments: s.payments(currency),
	}
}

func (s *sample) statement() *iso20022.Statement {
	from := s.time() / day * day
	st := &iso20022.Statement{
		MessageID: s.id("M"), ID: s.id("S"), Sequence: s.draw() % 400, Created: from + 2*day, From: from, To: from + day - 1000,
		Account: s.account(), Currency: s.pick("EUR", "JPY", "KWD"), Owner: s.party(), Servicer: s.maybe(s.bic()),
		Opening: s.amount() - 500_000_000_000,
	}
	st.Closing = st.Opening
	for range s.draw() % 5 {
		e := iso20022.Entry{
			Amount: s.amount(), Reversal: s.draw()%5 == 0, Booked: from, Value: from, Reference: s.id("R"), EndToEndID: s.maybe(s.id("E")),
			UETR: s.uetr(), Domain: "PMNT", Family: "RCDT", SubFamily: "ESCT", Other: s.party(), OtherAccount: s.maybe(s.account()),
			OtherAgent: s.maybe(s.bic()), Remittance: s.maybe("thanks"),
		}
		if s.draw()%2 == 0 {
			e.Amount, e.Family = -e.Amount, "ICDT"
		}
		st.Closing += e.Amount
		st.Entries = append(st.Entries, e)
	}
	return st
}

// messages makes message n of each version.
func messages(t testing.TB, n uint64) map[string][]byte {
	t.Helper()
	s, all := newSample(t, n), map[string][]byte{}
	for version, write := range writers(s) {
		text, err := write([]byte("before"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(text, []byte("before<?xml")) {
			t.Fatalf("%.40s", text)
		}
		all[version] = text[len("before"):]
	}
	return all
}

func writers(s *sample) map[string]func([]byte) ([]byte, error) {
	transfer, order, statement := s.transfer(), s.order(), s.statement()
	return map[string]func([]byte) ([]byte, error){
		iso20022.Pacs008: func(dst []byte) ([]byte, error) { return iso20022.AppendPacs008(dst, transfer) },
		iso20022.Pain001: func(dst []byte) ([]byte, error) { return iso20022.AppendPain001(dst, order) },
		iso20022.Camt053: func(dst []byte) ([]byte, error) { return iso20022.AppendCamt053(dst, statement) },
	}
}

var texts = regexp.MustCompile(`>([^<]+)<`)

// TestValid writes many messages, validates each against its schema, and looks
// at what the schema cannot say: the character set, the mark, the sums.
func TestValid(t *testing.T) {
	schemas := map[string]*schema{}
	seen := map[string]bool{}
	for n := range uint64(500) {
		for version, text := range messages(t, n) {
			if schemas[version] == nil {
				schemas[version] = readSchema(t, version)
			}
			if err := schemas[version].validate(text); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if bytes.Count(text, []byte(`<Synthetic xmlns="urn:lakeproof:synthetic">true</Synthetic>`)) != 1 {
				t.Fatalf("not marked: %s", text)
			}
			for _, m := range texts.FindAllSubmatch(text, -1) {
				if !iso20022.CheckText(m[1]) && string(m[1]) != "\n" {
					t.Fatalf("%q in %s", m[1], text)
				}
			}
			for _, tag := range regexp.MustCompile(`<([A-Za-z0-9]+)`).FindAllSubmatch(text, -1) {
				seen[string(tag[1])] = true
			}
			sums(t, text)
		}
	}
	for tag := range strings.FieldsSeq("InstrId TxId UETR ClrSys InstgAgt InstdAgt InstdAmt XchgRate Othr Purp RmtInf LEI " +
		"CtrySubDvsn BldgNb RvslInd Svcr RltdPties RltdAgts Dbtr CdtrAcct") {
		if !seen[tag] {
			t.Errorf("no sample has a %s", tag)
		}
	}
}

var (
	settled = regexp.MustCompile(`<IntrBkSttlmAmt Ccy="[A-Z]{3}">([0-9.]+)<|<Amt><InstdAmt Ccy="[A-Z]{3}">([0-9.]+)<`)
	control = regexp.MustCompile(`<CtrlSum>([0-9.]+)<`)
)

// sums adds the amounts up as decimal numbers and compares the control sums.
func sums(t *testing.T, text []byte) {
	t.Helper()
	sum := 0
	minor := func(s string) (n int) {
		fmt.Sscan(strings.TrimLeft(strings.ReplaceAll(s, ".", ""), "0"), &n)
		return n
	}
	for _, m := range settled.FindAllSubmatch(text, -1) {
		sum += minor(string(m[1]) + string(m[2]))
	}
	for _, m := range control.FindAllSubmatch(text, -1) {
		if minor(string(m[1])) != sum {
			t.Fatalf("control sum %s, want %d minor units: %s", m[1], sum, text)
		}
	}
}

// TestCheckerFinds is the control of the checker: each change breaks one rule.
func TestCheckerFinds(t *testing.T) {
	const n = 3
	for _, c := range []struct{ version, pattern, by, want string }{
		{iso20022.Pacs008, `<NbOfTxs>\d+</NbOfTxs>`, "", "no NbOfTxs"},
		{iso20022.Pacs008, `(<MsgId>[^<]*</MsgId>)(<CreDtTm>[^<]*</CreDtTm>)`, "$2$1", "no MsgId"},
		{iso20022.Pacs008, `(<MsgId>[^<]*</MsgId>)`, "$1$1", "more than 1"},
		{iso20022.Pacs008, `<MsgId>[^<]*<`, "<MsgId><", "minLength 1"},
		{iso20022.Pacs008, `<MsgId>`, "<MsgId>123456789012345678901234567890123456", "maxLength 35"},
		{iso20022.Pacs008, `<SttlmMtd>CLRG<`, "<SttlmMtd>CASH<", "is no SettlementMethod1Code"},
		{iso20022.Pacs008, ` Ccy="[A-Z]{3}"`, ` Ccy="eur"`, "is no ActiveCurrencyCode"},
		{iso20022.Pacs008, `<TtlIntrBkSttlmAmt Ccy="[A-Z]{3}"`, `<TtlIntrBkSttlmAmt`, "attribute Ccy"},
		{iso20022.Pacs008, `(<IntrBkSttlmAmt Ccy="[A-Z]{3}")>`, `$1 X="1">`, "attribute Ccy"},
		{iso20022.Pacs008, `(<IntrBkSttlmAmt Ccy="[A-Z]{3}">)[0-9.]*<`, `${1}1.123456<`, "fractionDigits 5"},
		{iso20022.Pacs008, `(<IntrBkSttlmAmt Ccy="[A-Z]{3}">)[0-9.]*<`, `${1}12345678901234567.12<`, "totalDigits 18"},
		{iso20022.Pacs008, `(<IntrBkSttlmAmt Ccy="[A-Z]{3}">)[0-9.]*<`, `${1}-1.00<`, "minInclusive 0"},
		{iso20022.Pacs008, `(<IntrBkSttlmAmt Ccy="[A-Z]{3}">)[0-9.]*<`, `${1}1e3<`, "is no xs:decimal"},
		{iso20022.Pacs008, `<IntrBkSttlmDt>`, "<IntrBkSttlmDt>1", "is no xs:date"},
		{iso20022.Pacs008, `<CreDtTm>....-..`, "<CreDtTm>2026-13", "is no xs:dateTime"},
		{iso20022.Pacs008, `<Envlp>.*</Envlp>`, "<Envlp></Envlp>", "nothing for the wildcard"},
		{iso20022.Pacs008, `(<Synthetic.*</Synthetic>)`, "$1$1", "does not belong there"},
		{iso20022.Pacs008, `<GrpHdr>`, "<GrpHdr>text", "elements only"},
		{iso20022.Pacs008, `<GrpHdr>`, `<GrpHdr a="b">`, "elements only"},
		{iso20022.Pacs008, `pacs.008.001.08`, "pacs.008.001.09", "root"},
		{iso20022.Pacs008, `<ChrgBr>[A-Z]*</ChrgBr>`, "", "no ChrgBr"},
		{iso20022.Pacs008, `<UETR>.`, "<UETR>G", "is no UUIDv4Identifier"},
		{iso20022.Pacs008, `</CdtTrfTxInf>`, "<Extra></Extra></CdtTrfTxInf>", "Extra does not belong there"},
		{iso20022.Pacs008, `</Document>`, "", "EOF"},
		{iso20022.Pain001, `<PmtMtd>TRF<`, "<PmtMtd>XXX<", "is no PaymentMethod3Code"},
		{iso20022.Pain001, `<ReqdExctnDt><Dt>([^<]*)</Dt>`, "<ReqdExctnDt>", "no alternative"},
		{iso20022.Pain001, `<ReqdExctnDt>(<Dt>[^<]*</Dt>)`, "<ReqdExctnDt>$1$1", "more than 1"},
		{iso20022.Pain001, `<Dt>([^<]*)</Dt>`, "<Dt>$1</Dt><DtTm>${1}T00:00:00</DtTm>", "DtTm beside Dt"},
		{iso20022.Pain001, `<IBAN>..`, "<IBAN>12", "is no IBAN2007Identifier"},
		{iso20022.Pain001, `<NbOfTxs>`, "<NbOfTxs><X/>", "text only"},
		{iso20022.Camt053, `<CdtDbtInd>CRDT`, "<CdtDbtInd>PLUS", "is no CreditDebitCode"},
		{iso20022.Camt053, `<ElctrncSeqNb>\d+`, "<ElctrncSeqNb>1.5", "fractionDigits 0"},
		{iso20022.Camt053, `<Bal>.*</Bal>`, "", "no Bal"},
		{iso20022.Camt053, `<Sts><Cd>BOOK<`, "<Sts><Cd>BOOKED<", "maxLength 4"},
	} {
		s := readSchema(t, c.version)
		found := false
		for n := uint64(n); n < 40 && !found; n++ { // the next sample that has what is changed
			good := messages(t, n)[c.version]
			pattern := regexp.MustCompile(c.pattern)
			at := pattern.FindSubmatchIndex(good)
			if at == nil {
				continue
			}
			found = true
			bad := append(bytes.Clone(good[:at[0]]), pattern.Expand(nil, []byte(c.by), good, at)...)
			bad = append(bad, good[at[1]:]...)
			if err := s.validate(bad); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s by %q: %v, want %s", c.pattern, c.by, err, c.want)
			}
		}
		if !found {
			t.Errorf("no sample has %s", c.pattern)
		}
	}
	text, err := os.ReadFile("testdata/pacs.008.001.08.xsd")
	if err != nil {
		t.Fatal(err)
	}
	for _, unknown := range []string{`<xs:all>`, `<xs:sequence minOccurs="0">`, `<xs:group ref="x">`} {
		if _, err := loadSchema(bytes.Replace(text, []byte("<xs:sequence>"), []byte(unknown), 1)); err == nil {
			t.Errorf("the checker loads %s", unknown)
		}
	}
}

var update = flag.Bool("update", false, "write the golden files")

func TestGolden(t *testing.T) {
	for version, got := range messages(t, 6) {
		name := "testdata/" + version + ".golden.xml"
		if *update {
			if err := os.WriteFile(name, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("the bytes changed; write them again with -update if they should:\n%s", got)
		}
	}
}

// TestRefused: what no valid message can hold is refused by name, and the
// buffer comes back as it was.
func TestRefused(t *testing.T) {
	transfer := func(change func(*iso20022.Transfer)) func() ([]byte, error) {
		m := newSample(t, 1).transfer()
		m.Payments[0].InstructedIn = ""
		change(m)
		return func() ([]byte, error) { return iso20022.AppendPacs008([]byte("before"), m) }
	}
	order := func(change func(*iso20022.Order)) func() ([]byte, error) {
		m := newSample(t, 1).order()
		change(m)
		return func() ([]byte, error) { return iso20022.AppendPain001([]byte("before"), m) }
	}
	statement := func(change func(*iso20022.Statement)) func() ([]byte, error) {
		m := newSample(t, 4).statement()
		if len(m.Entries) == 0 {
			t.Fatal("no entries")
		}
		change(m)
		return func() ([]byte, error) { return iso20022.AppendCamt053([]byte("before"), m) }
	}
	type T = iso20022.Transfer
	type O = iso20022.Order
	type S = iso20022.Statement
	for name, c := range map[string]struct {
		write   func() ([]byte, error)
		element string
		want    error
	}{
		"no id":            {transfer(func(m *T) { m.MessageID = "" }), "MsgId", iso20022.ErrEmpty},
		"long id":          {transfer(func(m *T) { m.MessageID = strings.Repeat("a", 36) }), "MsgId", iso20022.ErrLength},
		"slash":            {transfer(func(m *T) { m.MessageID = "/a" }), "MsgId", iso20022.ErrCharacter},
		"slashes":          {transfer(func(m *T) { m.MessageID = "a//b" }), "MsgId", iso20022.ErrCharacter},
		"markup":           {transfer(func(m *T) { m.MessageID = "a<b" }), "MsgId", iso20022.ErrCharacter},
		"letter":           {transfer(func(m *T) { m.MessageID = "ä" }), "MsgId", iso20022.ErrCharacter},
		"currency":         {transfer(func(m *T) { m.Currency = "EURO" }), "Ccy", identifier.ErrUnknown},
		"no payments":      {transfer(func(m *T) { m.Payments = nil }), "CdtTrfTxInf", iso20022.ErrEmpty},
		"no amount":        {transfer(func(m *T) { m.Payments[0].Amount = 0 }), "IntrBkSttlmAmt", iso20022.ErrAmount},
		"negative":         {transfer(func(m *T) { m.Payments[0].Amount = -5 }), "CtrlSum", iso20022.ErrAmount},
		"too much":         {transfer(func(m *T) { m.Payments[0].Amount = 1e18 }), "CtrlSum", iso20022.ErrAmount},
		"bic":              {transfer(func(m *T) { m.Payments[0].DebtorAgent = "ABC" }), "DbtrAgt", identifier.ErrLength},
		"sender":           {transfer(func(m *T) { m.Sender = "zzzzdea0" }), "InstgAgt", identifier.ErrCharacter},
		"account":          {transfer(func(m *T) { m.Payments[0].DebtorAccount = "a<b" }), "Id", iso20022.ErrCharacter},
		"long account":     {transfer(func(m *T) { m.Payments[0].DebtorAccount = strings.Repeat("1", 35) }), "Id", iso20022.ErrLength},
		"uetr":             {transfer(func(m *T) { m.Payments[0].UETR = "x" }), "UETR", identifier.ErrLength},
		"charges":          {transfer(func(m *T) { m.Payments[0].Charges = "SHARED" }), "ChrgBr", iso20022.ErrCharacter},
		"purpose":          {transfer(func(m *T) { m.Payments[0].Purpose = "SALARY" }), "Cd", iso20022.ErrLength},
		"purpose in small": {transfer(func(m *T) { m.Payments[0].Purpose = "sala" }), "Cd", iso20022.ErrCharacter},
		"country":          {transfer(func(m *T) { m.Payments[0].Debtor.Country = "de" }), "Ctry", iso20022.ErrCharacter},
		"long country":     {transfer(func(m *T) { m.Payments[0].Debtor.Country = "DEU" }), "Ctry", iso20022.ErrLength},
		"lei":              {transfer(func(m *T) { m.Payments[0].Creditor.LEI = "213800WSGIIZCXF1P573" }), "LEI", identifier.ErrChecksum},
		"year":             {transfer(func(m *T) { m.Created = 1 << 62 }), "CreDtTm", iso20022.ErrLength},
		"exchange":         {transfer(func(m *T) { m.Payments[0].InstructedIn = "XYZ" }), "InstdAmt", identifier.ErrUnknown},
		"no rate": {
			transfer(func(m *T) { m.Currency, m.Payments[0].InstructedIn, m.Payments[0].Instructed = "EUR", "USD", 1 }),
			"XchgRate", iso20022.ErrAmount,
		},
		"same currency": {transfer(func(m *T) { m.Payments[0].InstructedIn = m.Currency }), "InstdAmt", iso20022.ErrAmount},
		"no batch":      {order(func(m *O) { m.BatchID = "" }), "PmtInfId", iso20022.ErrEmpty},
		"no account":    {order(func(m *O) { m.Account = "" }), "Id", iso20022.ErrEmpty},
		"no orders":     {order(func(m *O) { m.Payments = nil }), "CdtTrfTxInf", iso20022.ErrEmpty},
		"ordered 0":     {order(func(m *O) { m.Payments[0].Amount = 0 }), "InstdAmt", iso20022.ErrAmount},
		"books":         {statement(func(m *S) { m.Closing++ }), "Bal", iso20022.ErrBooks},
		"overflow":      {statement(func(m *S) { m.Entries[0].Amount = -1 << 63 }), "Bal", iso20022.ErrBooks},
		"entry of 0":    {statement(func(m *S) { m.Closing -= m.Entries[0].Amount; m.Entries[0].Amount = 0 }), "Ntry", iso20022.ErrAmount},
		"code":          {statement(func(m *S) { m.Entries[0].Family = "" }), "Cd", iso20022.ErrLength},
		"reference":     {statement(func(m *S) { m.Entries[0].Reference = "" }), "AcctSvcrRef", iso20022.ErrEmpty},
		"sequence":      {statement(func(m *S) { m.Sequence = 1e18 }), "ElctrncSeqNb", iso20022.ErrLength},
		"balance": {
			statement(func(m *S) { m.Opening += 1e18; m.Closing += 1e18 }), "Amt", iso20022.ErrAmount,
		},
	} {
		got, err := c.write()
		if !errors.Is(err, c.want) || !strings.Contains(fmt.Sprint(err), "element "+c.element) || string(got) != "before" {
			t.Errorf("%s: %v, want %s: %v", name, err, c.element, c.want)
		}
	}
}

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "",
		"plain Text 123":         "plain Text 123",
		"/-?:().,'+":             "/-?:().,'+",
		" both ends ":            "both ends",
		"\n\ttab\r\n":            "tab",
		"Müller & Söhne":         "Muller + Sohne",
		"Straße, Øre, Æsop":      "Strase, Ore, Asop",
		"Łódź Čeněk Őry Șoimuș":  "Lodz Cenek Ory Soimus",
		"Ελένη ΘΕΟΣ Ψυχή":        "Eleni THEOS PSychi",
		"Щукин Жора Юля":         "SHTukin ZHora YUlya",
		"<a href=\"x\">]]></a>":  ".a href..x..))../a.",
		"a@b_c~d{e}[f]|g\\h`i;j": "a.b-c-d(e)(f)/g/h'i,j",
		"e\u0301":                "e",
		"\u0301":                 "",
		"日本":                     "..",
		"\xff\xfe":               "..",
		"5 €":                    "5 E",
		"it’s – nice":            "it's - nice",
	} {
		if got := string(iso20022.AppendText(nil, text, 100)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for max, want := range []string{"", "C", "CH", "CHa", "CHa", "CHa b"} {
		if got := string(iso20022.AppendText([]byte("x"), "Χα b", max)); got != "x"+want {
			t.Errorf("%d characters: %q, want %q", max, got, want)
		}
	}
	// Every letter of the three alphabets becomes letters.
	for r := rune(0xc0); r <= 0x44f; r++ {
		got := string(iso20022.AppendText(nil, string(r), 9))
		switch {
		case r < 0x180 && r != '×' && r != '÷', r >= 0x391 && r <= 0x3c9 && r != 0x3a2, r >= 0x410:
			if strings.Trim(got, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != "" || got == "" {
				t.Errorf("%c is %q", r, got)
			}
			if strings.ToLower(string(r)) == string(r) && r != 'ĸ' && strings.ToLower(got) != got {
				t.Errorf("%c is %q, no small letter", r, got)
			}
		}
	}
}

func TestAllocations(t *testing.T) {
	buf, s := make([]byte, 0, 1<<16), newSample(t, 6)
	transfer, order, statement := s.transfer(), s.order(), s.statement()
	for name, write := range map[string]func() error{
		iso20022.Pacs008: func() error { _, err := iso20022.AppendPacs008(buf, transfer); return err },
		iso20022.Pain001: func() error { _, err := iso20022.AppendPain001(buf, order); return err },
		iso20022.Camt053: func() error { _, err := iso20022.AppendCamt053(buf, statement); return err },
	} {
		if allocs := testing.AllocsPerRun(100, func() {
			if err := write(); err != nil {
				t.Fatal(err)
			}
		}); allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}

// FuzzTransfer: whatever the texts are, the message is valid or refused.
func FuzzTransfer(f *testing.F) {
	f.Add("M-1", "Anna Müller", "Invoice 1", "DE89370400440532013000", "DEUTDEFF", "DE", int64(1234))
	f.Add("a/b", "<>&\"'", "]]>", "123", "", "", int64(1))
	s := readSchema(f, iso20022.Pacs008)
	f.Fuzz(func(t *testing.T, id, name, remittance, account, bic, country string, amount int64) {
		party := iso20022.Party{Name: name, Street: remittance, Town: name, Country: country}
		text, err := iso20022.AppendPacs008(nil, &iso20022.Transfer{
			MessageID: id, Created: amount, Settled: amount, Currency: "EUR", Sender: bic,
			Payments: []iso20022.Payment{{
				EndToEndID: id, Amount: amount, Debtor: party, DebtorAccount: account, DebtorAgent: bic,
				Creditor: party, CreditorAccount: account, CreditorAgent: bic, Purpose: country, Remittance: remittance,
			}},
		})
		if err != nil {
			return
		}
		if err := s.validate(text); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	})
}

func BenchmarkAppendPacs008(b *testing.B) {
	transfer, buf := newSample(b, 6).transfer(), make([]byte, 0, 1<<16)
	b.ReportAllocs()
	for b.Loop() {
		text, err := iso20022.AppendPacs008(buf, transfer)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(text)))
	}
}
