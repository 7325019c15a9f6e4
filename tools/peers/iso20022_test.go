package peers

import (
	"bytes"
	"os"
	"regexp"
	"testing"

	"github.com/jacoelho/xsd"

	"github.com/lakeproof/lakeproof/generators"
	"github.com/lakeproof/lakeproof/generators/identifier"
	"github.com/lakeproof/lakeproof/generators/iso20022"
)

// messages makes message n of each version, with texts that need replacing.
func messages(t *testing.T, n uint64) map[string][]byte {
	t.Helper()
	r := generators.Seed(7).Rand("peers.iso20022").Entity(n)
	iban, err := identifier.NewIBAN(identifier.IBANCountries()[n%18], 7)
	if err != nil {
		t.Fatal(err)
	}
	party := func(i uint64) iso20022.Party {
		return iso20022.Party{
			Name: []string{"Zoë & Söhne <GmbH>", "Борис", "a \"quoted\" name"}[r.At(i)%3], Street: "Straße", Town: "Kraków",
			Country: "PL", LEI: string(identifier.AppendLEI(nil, r.At(i))),
		}
	}
	payment := iso20022.Payment{
		EndToEndID: "E-1", UETR: string(identifier.AppendUETR(nil, r.At(1), r.At(2))), Amount: int64(1 + r.At(3)%1e15),
		Debtor: party(4), DebtorAccount: string(iban.Append(nil, r.At(5))), DebtorAgent: string(identifier.AppendBIC(nil, "DE", r.At(6))),
		Creditor: party(7), CreditorAccount: string(iban.Append(nil, r.At(8))), Purpose: "SALA", Remittance: "100 % ]]> &amp; more",
	}
	const day = 86_400_000_000
	at := int64(1_767_225_600_000_000 + n*day)
	currency := []string{"EUR", "JPY", "KWD"}[n%3]
	out := map[string][]byte{}
	keep := func(version string, text []byte, err error) {
		if err != nil {
			t.Fatal(err)
		}
		out[version] = text
	}
	text, err := iso20022.AppendPacs008(nil, &iso20022.Transfer{
		MessageID: "M-1", Created: at, Settled: at, Currency: currency, Payments: []iso20022.Payment{payment, payment},
	})
	keep(iso20022.Pacs008, text, err)
	text, err = iso20022.AppendPain001(nil, &iso20022.Order{
		MessageID: "M-2", BatchID: "B-1", Created: at, Execution: at, Currency: currency, Debtor: party(9),
		Account: payment.DebtorAccount, Payments: []iso20022.Payment{payment},
	})
	keep(iso20022.Pain001, text, err)
	text, err = iso20022.AppendCamt053(nil, &iso20022.Statement{
		MessageID: "M-3", ID: "S-1", Created: at, From: at, To: at + day, Account: payment.DebtorAccount, Currency: currency,
		Owner: party(10), Opening: 5, Closing: 5 - payment.Amount, Entries: []iso20022.Entry{{
			Amount: -payment.Amount, Booked: at, Value: at, Reference: "R-1", Domain: "PMNT", Family: "ICDT", SubFamily: "ESCT",
			Other: party(11), OtherAccount: payment.CreditorAccount,
		}},
	})
	keep(iso20022.Camt053, text, err)
	return out
}

// TestISO20022 shows the messages to a validator of XML Schema, and then the
// same with a fault each.
func TestISO20022(t *testing.T) {
	engines := map[string]*xsd.Engine{}
	for _, version := range []string{iso20022.Pacs008, iso20022.Pain001, iso20022.Camt053} {
		const dir = "../../generators/iso20022/testdata/"
		engine, err := xsd.Compile(xsd.File(dir + version + ".xsd"))
		if err != nil {
			t.Fatal(err)
		}
		engines[version] = engine
		golden, err := os.ReadFile(dir + version + ".golden.xml")
		if err != nil {
			t.Fatal(err)
		}
		if err := engine.Validate(bytes.NewReader(golden)); err != nil {
			t.Errorf("%s: %v", version, err)
		}
	}
	for n := range uint64(200) {
		for version, text := range messages(t, n) {
			if err := engines[version].Validate(bytes.NewReader(text)); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			for pattern, by := range map[string]string{
				`<MsgId>[^<]*<`:                                  "<MsgId><",
				`<CreDtTm>[^<]*</CreDtTm>`:                       "",
				` Ccy="[A-Z]{3}"`:                                ` Ccy="E"`,
				`(Ccy="[A-Z]{3}">)[0-9.]*<`:                      "${1}1.2345678<",
				`(</[A-Za-z]+>)(</Document>)`:                    "<X></X>$1$2",
				`<Envlp><Synthetic.*</Synthetic>`:                "<Envlp>",
				`<IBAN>[A-Z]{2}`:                                 "<IBAN>00",
				`<LEI>`:                                          "<LEI>0",
				`(<StrtNm>[^<]*<.StrtNm>)(<TwnNm>[^<]*<.TwnNm>)`: "$2$1",
			} {
				p := regexp.MustCompile(pattern)
				at := p.FindSubmatchIndex(text)
				if at == nil {
					t.Fatalf("%s is not in %s", pattern, text)
				}
				bad := append(bytes.Clone(text[:at[0]]), p.Expand(nil, []byte(by), text, at)...)
				if err := engines[version].Validate(bytes.NewReader(append(bad, text[at[1]:]...))); err == nil {
					t.Errorf("%s by %s passes in %s", pattern, by, version)
				}
			}
		}
	}
}
