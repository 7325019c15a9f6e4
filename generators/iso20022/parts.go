package iso20022

import "github.com/lakeproof/lakeproof/generators/identifier"

// party writes a PartyIdentification135.
func (w *writer) party(tag string, p *Party) {
	w.open(tag)
	before := len(w.buf)
	if w.text("Nm", p.Name, 140); len(w.buf) == before {
		w.leaf("Nm", "NOTPROVIDED")
	}
	w.address(p)
	if p.LEI != "" {
		if err := identifier.CheckLEI(p.LEI); err != nil {
			w.fail("LEI", err)
		}
		w.raw("<Id><OrgId>")
		w.leaf("LEI", p.LEI)
		w.raw("</OrgId></Id>")
	}
	w.close(tag)
}

// address writes a structured PostalAddress24, if there is anything to write.
func (w *writer) address(p *Party) {
	before := len(w.buf)
	w.open("PstlAdr")
	at := len(w.buf)
	w.text("StrtNm", p.Street, 70)
	w.text("BldgNb", p.Building, 16)
	w.text("PstCd", p.PostCode, 16)
	w.text("TwnNm", p.Town, 35)
	w.text("CtrySubDvsn", p.Province, 35)
	if p.Country != "" {
		w.letters("Ctry", p.Country, 2)
	}
	if len(w.buf) == at {
		w.buf = w.buf[:before]
		return
	}
	w.close("PstlAdr")
}

// agent writes a bank by its BIC, or as NOTPROVIDED where it has none: the
// standard lets no party be without a bank.
func (w *writer) agent(tag, bic string) {
	w.open(tag)
	if bic == "" {
		w.raw("<FinInstnId><Othr><Id>NOTPROVIDED</Id></Othr></FinInstnId>")
	} else {
		if err := identifier.CheckBIC(bic); err != nil {
			w.fail(tag, err)
		}
		w.raw("<FinInstnId>")
		w.leaf("BICFI", bic)
		w.raw("</FinInstnId>")
	}
	w.close(tag)
}

func (w *writer) optionalAgent(tag, bic string) {
	if bic != "" {
		w.agent(tag, bic)
	}
}

// account writes the identification of an account: as an IBAN if it is one, or
// as another number.
func (w *writer) account(number string) {
	if isIBAN(number) {
		w.open("Id")
		w.leaf("IBAN", number)
		w.close("Id")
		return
	}
	w.raw("<Id><Othr>")
	w.id("Id", number, 34)
	w.raw("</Othr></Id>")
}

func (w *writer) optionalAccount(tag, number string) {
	if number == "" {
		return
	}
	w.open(tag)
	w.account(number)
	w.close(tag)
}

// isIBAN reports whether a text has the form and the check digits of an IBAN of
// any country: the remainder by 97 is 1.
func isIBAN(text string) bool {
	if len(text) < 15 || len(text) > 34 || text[0]-'A' > 25 || text[1]-'A' > 25 || text[2]-'0' > 9 || text[3]-'0' > 9 {
		return false
	}
	rest := uint64(0)
	for i := range len(text) {
		c := text[(i+4)%len(text)]
		switch {
		case c-'0' <= 9:
			rest = (rest*10 + uint64(c-'0')) % 97
		case c-'A' <= 25:
			rest = (rest*100 + uint64(c-'A'+10)) % 97
		default:
			return false
		}
	}
	return rest == 1
}

func (w *writer) uetr(value string) {
	if value == "" {
		return
	}
	if err := identifier.CheckUETR(value); err != nil {
		w.fail("UETR", err)
	}
	w.leaf("UETR", value)
}

// charges writes who bears them.
func (w *writer) charges(value string) {
	switch value {
	case "":
		value = "SLEV"
	case "DEBT", "CRED", "SHAR", "SLEV":
	default:
		w.fail("ChrgBr", ErrCharacter)
	}
	w.leaf("ChrgBr", value)
}

// purpose and remittance end a payment.
func (w *writer) purpose(code string) {
	if code != "" {
		w.raw("<Purp>")
		w.code("Cd", code, 1, 4)
		w.raw("</Purp>")
	}
}

func (w *writer) remittance(text string) {
	before := len(w.buf)
	w.open("RmtInf")
	at := len(w.buf)
	if w.text("Ustrd", text, 140); len(w.buf) == at {
		w.buf = w.buf[:before]
		return
	}
	w.close("RmtInf")
}

// total is the sum of the payments. One that no message can hold comes back as
// a negative number, which the amount's own check refuses.
func total(payments []Payment) int64 {
	sum := int64(0)
	for i := range payments {
		amount := payments[i].Amount
		if amount < 0 || amount >= 1e18 || sum < 0 {
			return -1
		}
		if sum += amount; sum >= 1e18 {
			return -1
		}
	}
	return sum
}
