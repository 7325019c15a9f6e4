module github.com/lakeproof/lakeproof/tools/peers

go 1.26.2

require (
	github.com/jacoelho/xsd v0.4.0
	github.com/lakeproof/lakeproof v0.0.0
	github.com/moov-io/iso8583 v0.25.0
)

require (
	github.com/yerden/go-util v1.1.4 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/lakeproof/lakeproof => ../..
