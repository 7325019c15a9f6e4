package delivery

// What the tests of other packages' view need to see.
type (
	TapeRun     = run
	TapeSpecial = special
)

const TapeEntry = tapeEntry
