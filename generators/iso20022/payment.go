package iso20022

// AppendPacs008 appends a pacs.008.001.08. On an error dst comes back as it was.
func AppendPacs008(dst []byte, t *Transfer) ([]byte, error) {
	const root = "FIToFICstmrCdtTrf"
	w := writer{buf: dst}
	w.begin(Pacs008, root, t.Currency)
	if len(t.Payments) == 0 {
		w.fail("CdtTrfTxInf", ErrEmpty)
	}
	sum := total(t.Payments)
	w.open("GrpHdr")
	w.id("MsgId", t.MessageID, 35)
	w.moment("CreDtTm", t.Created)
	w.count("NbOfTxs", len(t.Payments))
	w.decimal("CtrlSum", sum, w.exponent)
	w.money("TtlIntrBkSttlmAmt", sum, w.currency, w.exponent)
	w.date("IntrBkSttlmDt", t.Settled)
	w.raw("<SttlmInf><SttlmMtd>CLRG</SttlmMtd>")
	if t.ClearingSystem != "" {
		w.raw("<ClrSys>")
		w.id("Prtry", t.ClearingSystem, 35)
		w.raw("</ClrSys>")
	}
	w.raw("</SttlmInf>")
	w.optionalAgent("InstgAgt", t.Sender)
	w.optionalAgent("InstdAgt", t.Receiver)
	w.close("GrpHdr")
	for i := range t.Payments {
		w.index = i + 1
		w.interbank(&t.Payments[i])
	}
	return w.end(dst, Pacs008, t.MessageID, root)
}

// interbank writes a CreditTransferTransaction39.
func (w *writer) interbank(p *Payment) {
	w.open("CdtTrfTxInf")
	w.identification(p, true)
	if p.Amount == 0 {
		w.fail("IntrBkSttlmAmt", ErrAmount)
	}
	w.money("IntrBkSttlmAmt", p.Amount, w.currency, w.exponent)
	if p.InstructedIn != "" {
		w.exchange(p)
	}
	w.charges(p.Charges)
	w.party("Dbtr", &p.Debtor)
	w.optionalAccount("DbtrAcct", p.DebtorAccount)
	w.agent("DbtrAgt", p.DebtorAgent)
	w.agent("CdtrAgt", p.CreditorAgent)
	w.party("Cdtr", &p.Creditor)
	w.optionalAccount("CdtrAcct", p.CreditorAccount)
	w.purpose(p.Purpose)
	w.remittance(p.Remittance)
	w.close("CdtTrfTxInf")
}

// AppendPain001 appends a pain.001.001.09 with one batch. On an error dst comes
// back as it was.
func AppendPain001(dst []byte, o *Order) ([]byte, error) {
	const root = "CstmrCdtTrfInitn"
	w := writer{buf: dst}
	w.begin(Pain001, root, o.Currency)
	if len(o.Payments) == 0 {
		w.fail("CdtTrfTxInf", ErrEmpty)
	}
	sum := total(o.Payments)
	w.open("GrpHdr")
	w.id("MsgId", o.MessageID, 35)
	w.moment("CreDtTm", o.Created)
	w.count("NbOfTxs", len(o.Payments))
	w.decimal("CtrlSum", sum, w.exponent)
	w.party("InitgPty", &o.Debtor)
	w.close("GrpHdr")
	w.open("PmtInf")
	w.id("PmtInfId", o.BatchID, 35)
	w.leaf("PmtMtd", "TRF")
	w.count("NbOfTxs", len(o.Payments))
	w.decimal("CtrlSum", sum, w.exponent)
	w.open("ReqdExctnDt")
	w.date("Dt", o.Execution)
	w.close("ReqdExctnDt")
	w.party("Dbtr", &o.Debtor)
	w.open("DbtrAcct")
	w.account(o.Account)
	w.close("DbtrAcct")
	w.agent("DbtrAgt", o.Agent)
	for i := range o.Payments {
		w.index = i + 1
		w.ordered(&o.Payments[i])
	}
	w.close("PmtInf")
	return w.end(dst, Pain001, o.MessageID, root)
}

// ordered writes a CreditTransferTransaction34.
func (w *writer) ordered(p *Payment) {
	w.open("CdtTrfTxInf")
	w.identification(p, false)
	if p.Amount == 0 {
		w.fail("InstdAmt", ErrAmount)
	}
	w.open("Amt")
	w.money("InstdAmt", p.Amount, w.currency, w.exponent)
	w.close("Amt")
	w.charges(p.Charges)
	w.optionalAgent("CdtrAgt", p.CreditorAgent)
	w.party("Cdtr", &p.Creditor)
	w.optionalAccount("CdtrAcct", p.CreditorAccount)
	w.purpose(p.Purpose)
	w.remittance(p.Remittance)
	w.close("CdtTrfTxInf")
}

// identification writes a PaymentIdentification7, or 6 in an order.
func (w *writer) identification(p *Payment, interbank bool) {
	w.open("PmtId")
	w.optionalID("InstrId", p.InstructionID)
	if p.EndToEndID == "" {
		w.leaf("EndToEndId", "NOTPROVIDED")
	} else {
		w.id("EndToEndId", p.EndToEndID, 35)
	}
	if interbank {
		w.optionalID("TxId", p.TransactionID)
	}
	w.uetr(p.UETR)
	w.close("PmtId")
}
