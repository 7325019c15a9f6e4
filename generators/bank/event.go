package bank

// Event is what happened, before it becomes a record: small, so that millions of
// them can be made ahead of those that render them. In the streams that follow
// from others the numbers mean something else: see label, entry and change.
type Event struct {
	At      int64  // microseconds since the Unix epoch
	Amount  int64  // minor units of the market's currency
	Balance int64  // what the account may spend afterwards, minor units of its own currency
	Flow    uint64 // number of the first event of the flow
	Order   uint64 // number of the order that is paid, and one; 0: none; of a trade, when it began
	Crime   crime
	Account uint32
	Other   uint32 // merchant or account
	State   uint16 // of the bank's machine
	Market  uint8  // where it happened, and in whose currency
	Code    uint8  // why it was declined or returned
	Times   uint8  // how often the flow went round
}
