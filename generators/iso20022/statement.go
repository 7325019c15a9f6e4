package iso20022

// Entry is a booking of an account.
type Entry struct {
	Amount     int64 // minor units of the account's currency; negative is money that left
	Reversal   bool
	Booked     int64  // the day, microseconds since the Unix epoch
	Value      int64  // the day that interest counts from, likewise
	Reference  string // the bank's, up to 35 characters
	EndToEndID string // up to 35 characters; may be missing
	UETR       string // may be missing
	// Domain, Family and SubFamily are the bank transaction code: PMNT RCDT ESCT
	// is a SEPA credit transfer that came in, PMNT ICDT ESCT one that went out.
	Domain, Family, SubFamily string
	// Other is the other side: who paid where the amount is positive, and who was
	// paid where it is negative. Without a name there is none.
	Other        Party
	OtherAccount string
	OtherAgent   string // BIC
	Remittance   string // cut to 140 characters; may be missing
}

// Statement is a camt.053: one account, one period.
type Statement struct {
	MessageID string
	ID        string
	Sequence  uint64 // of the account's statements, below 10^18
	Created   int64  // microseconds since the Unix epoch
	From, To  int64  // likewise
	Account   string
	Currency  string
	Owner     Party
	Servicer  string // BIC; may be missing
	Opening   int64  // minor units; negative is overdrawn
	Closing   int64
	Entries   []Entry
}

// AppendCamt053 appends a camt.053.001.08. On an error dst comes back as it was;
// it is an error when the entries do not lead from the opening to the closing
// balance.
func AppendCamt053(dst []byte, s *Statement) ([]byte, error) {
	const root = "BkToCstmrStmt"
	w := writer{buf: dst}
	w.begin(Camt053, root, s.Currency)
	w.open("GrpHdr")
	w.id("MsgId", s.MessageID, 35)
	w.moment("CreDtTm", s.Created)
	w.close("GrpHdr")
	w.open("Stmt")
	w.id("Id", s.ID, 35)
	if s.Sequence >= 1e18 {
		w.fail("ElctrncSeqNb", ErrLength)
	}
	w.count("ElctrncSeqNb", int(s.Sequence))
	w.moment("CreDtTm", s.Created)
	w.open("FrToDt")
	w.moment("FrDtTm", s.From)
	w.moment("ToDtTm", s.To)
	w.close("FrToDt")
	w.open("Acct")
	w.account(s.Account)
	w.leaf("Ccy", w.currency)
	w.party("Ownr", &s.Owner)
	w.optionalAgent("Svcr", s.Servicer)
	w.close("Acct")
	w.balance("OPBD", s.Opening, s.From)
	w.balance("CLBD", s.Closing, s.To)
	w.summary(s)
	for i := range s.Entries {
		w.index = i + 1
		w.entry(&s.Entries[i])
	}
	w.close("Stmt")
	return w.end(dst, Camt053, s.MessageID, root)
}

// signed writes an amount without its sign.
func (w *writer) signed(amount int64) {
	if amount < 0 {
		amount = -amount // the smallest number stays negative and is refused
	}
	w.money("Amt", amount, w.currency, w.exponent)
}

// direction writes the sign of an amount.
func (w *writer) direction(amount int64) {
	if amount < 0 {
		w.leaf("CdtDbtInd", "DBIT")
		return
	}
	w.leaf("CdtDbtInd", "CRDT")
}

// balance writes a CashBalance8.
func (w *writer) balance(code string, amount, day int64) {
	w.raw("<Bal><Tp><CdOrPrtry>")
	w.leaf("Cd", code)
	w.raw("</CdOrPrtry></Tp>")
	w.signed(amount)
	w.direction(amount)
	w.raw("<Dt>")
	w.date("Dt", day)
	w.raw("</Dt></Bal>")
}

// summary writes a TotalTransactions6 and checks the books.
func (w *writer) summary(s *Statement) {
	var in, out int64
	credits, fits := 0, true
	for i := range s.Entries {
		switch amount := s.Entries[i].Amount; {
		case amount >= 0:
			credits++
			in += amount
		default:
			out -= amount
		}
		fits = fits && in >= 0 && in < 1e18 && out >= 0 && out < 1e18
	}
	if !fits || s.Opening+(in-out) != s.Closing {
		w.fail("Bal", ErrBooks)
		return
	}
	w.open("TxsSummry")
	w.open("TtlNtries")
	w.count("NbOfNtries", len(s.Entries))
	w.decimal("Sum", in+out, w.exponent)
	w.open("TtlNetNtry")
	net := in - out
	w.decimal("Amt", max(net, -net), w.exponent)
	w.direction(net)
	w.close("TtlNetNtry")
	w.close("TtlNtries")
	w.open("TtlCdtNtries")
	w.count("NbOfNtries", credits)
	w.decimal("Sum", in, w.exponent)
	w.close("TtlCdtNtries")
	w.open("TtlDbtNtries")
	w.count("NbOfNtries", len(s.Entries)-credits)
	w.decimal("Sum", out, w.exponent)
	w.close("TtlDbtNtries")
	w.close("TxsSummry")
}

// entry writes a ReportEntry10 with its one transaction.
func (w *writer) entry(e *Entry) {
	if e.Amount == 0 {
		w.fail("Ntry", ErrAmount)
	}
	w.open("Ntry")
	w.signed(e.Amount)
	w.direction(e.Amount)
	if e.Reversal {
		w.leaf("RvslInd", "true")
	}
	w.raw("<Sts><Cd>BOOK</Cd></Sts><BookgDt>")
	w.date("Dt", e.Booked)
	w.raw("</BookgDt><ValDt>")
	w.date("Dt", e.Value)
	w.raw("</ValDt>")
	w.id("AcctSvcrRef", e.Reference, 35)
	w.raw("<BkTxCd><Domn>")
	w.code("Cd", e.Domain, 1, 4)
	w.raw("<Fmly>")
	w.code("Cd", e.Family, 1, 4)
	w.code("SubFmlyCd", e.SubFamily, 1, 4)
	w.raw("</Fmly></Domn></BkTxCd><NtryDtls><TxDtls><Refs>")
	w.id("AcctSvcrRef", e.Reference, 35)
	w.optionalID("EndToEndId", e.EndToEndID)
	w.uetr(e.UETR)
	w.close("Refs")
	w.signed(e.Amount)
	w.direction(e.Amount)
	w.other(e)
	w.remittance(e.Remittance)
	w.raw("</TxDtls></NtryDtls></Ntry>")
}

// other writes the other side of an entry.
func (w *writer) other(e *Entry) {
	if e.Other.Name == "" {
		return
	}
	party, account, agent := "Dbtr", "DbtrAcct", "DbtrAgt"
	if e.Amount < 0 {
		party, account, agent = "Cdtr", "CdtrAcct", "CdtrAgt"
	}
	w.open("RltdPties")
	w.open(party)
	w.party("Pty", &e.Other)
	w.close(party)
	w.optionalAccount(account, e.OtherAccount)
	w.close("RltdPties")
	if e.OtherAgent != "" {
		w.open("RltdAgts")
		w.agent(agent, e.OtherAgent)
		w.close("RltdAgts")
	}
}
