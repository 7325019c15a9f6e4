package iso20022_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// A checker of the part of XML Schema that the ISO 20022 schemas are made of:
// sequences and choices of elements, simple types by facets, one attribute on
// simple content, and a wildcard. What it does not know it refuses to load, so
// nothing goes unchecked in silence.

type schema struct {
	namespace string
	root      element
	complexes map[string]*complexType
	simples   map[string]*simpleType
}

type element struct {
	Name string `xml:"name,attr"`
	Type string `xml:"type,attr"`
	Min  string `xml:"minOccurs,attr"`
	Max  string `xml:"maxOccurs,attr"`
}

type complexType struct {
	Name     string  `xml:"name,attr"`
	Sequence *group  `xml:"sequence"`
	Choice   *group  `xml:"choice"`
	Simple   *simple `xml:"simpleContent>extension"`
}

type group struct {
	Elements []element `xml:"element"`
	Any      []struct {
		Namespace string `xml:"namespace,attr"`
		Process   string `xml:"processContents,attr"`
	} `xml:"any"`
}

type simple struct {
	Base      string `xml:"base,attr"`
	Attribute struct {
		Name string `xml:"name,attr"`
		Type string `xml:"type,attr"`
		Use  string `xml:"use,attr"`
	} `xml:"attribute"`
}

type simpleType struct {
	Name        string `xml:"name,attr"`
	Restriction struct {
		Base   string  `xml:"base,attr"`
		Facets []facet `xml:",any"`
	} `xml:"restriction"`
	patterns []*regexp.Regexp
}

type facet struct {
	XMLName xml.Name
	Value   string `xml:"value,attr"`
}

// constructs are the elements of XML Schema that the checker knows, each with
// its attributes.
var constructs = map[string]string{
	"schema": "targetNamespace elementFormDefault", "element": "name type minOccurs maxOccurs",
	"complexType": "name", "simpleType": "name", "sequence": "", "choice": "", "simpleContent": "", "extension": "base",
	"attribute": "name type use", "any": "namespace processContents", "restriction": "base", "pattern": "value",
	"enumeration": "value", "minLength": "value", "maxLength": "value", "totalDigits": "value", "fractionDigits": "value",
	"minInclusive": "value",
}

func loadSchema(text []byte) (*schema, error) {
	for d := xml.NewDecoder(strings.NewReader(string(text))); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		known, ok := constructs[start.Name.Local]
		for _, a := range start.Attr {
			ok = ok && (a.Name.Space == "xmlns" || a.Name.Local == "xmlns" || slices.Contains(strings.Fields(known), a.Name.Local))
		}
		if !ok {
			return nil, fmt.Errorf("%s has something that the checker does not know", start.Name.Local)
		}
	}
	var file struct {
		Namespace string         `xml:"targetNamespace,attr"`
		Elements  []element      `xml:"element"`
		Complexes []*complexType `xml:"complexType"`
		Simples   []*simpleType  `xml:"simpleType"`
	}
	if err := xml.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	s := &schema{file.Namespace, file.Elements[0], map[string]*complexType{}, map[string]*simpleType{}}
	for _, c := range file.Complexes {
		s.complexes[c.Name] = c
	}
	for _, t := range file.Simples {
		for _, f := range t.Restriction.Facets {
			if f.XMLName.Local == "pattern" {
				t.patterns = append(t.patterns, regexp.MustCompile(`^(?:`+f.Value+`)$`))
			}
		}
		s.simples[t.Name] = t
	}
	return s, nil
}

// node is an element of a document.
type node struct {
	name     xml.Name
	attrs    []xml.Attr
	children []*node
	text     string
}

func parseXML(text []byte) (*node, error) {
	d := xml.NewDecoder(strings.NewReader(string(text)))
	top := &node{}
	for stack := []*node{top}; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if len(top.children) != 1 {
				return nil, errors.New("no single root")
			}
			return top.children[0], nil
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			n := &node{name: token.Name}
			for _, a := range token.Attr {
				if a.Name.Local != "xmlns" {
					n.attrs = append(n.attrs, a)
				}
			}
			parent := stack[len(stack)-1]
			parent.children = append(parent.children, n)
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			stack[len(stack)-1].text += string(token)
		}
	}
}

// validate says what is wrong with a document.
func (s *schema) validate(document []byte) error {
	n, err := parseXML(document)
	if err != nil {
		return err
	}
	if n.name.Local != s.root.Name || n.name.Space != s.namespace {
		return fmt.Errorf("root %v", n.name)
	}
	return s.element(n, s.root.Type)
}

func (s *schema) element(n *node, typeName string) error {
	if t, ok := s.simples[typeName]; ok {
		if len(n.children)+len(n.attrs) > 0 {
			return fmt.Errorf("%s: text only", n.name.Local)
		}
		return wrap(n, t.check(n.text))
	}
	t := s.complexes[typeName]
	if t == nil {
		return fmt.Errorf("%s: type %q is not in the schema", n.name.Local, typeName)
	}
	if t.Simple != nil {
		a := t.Simple.Attribute
		if len(n.children) > 0 || len(n.attrs) != 1 || n.attrs[0].Name.Local != a.Name || n.attrs[0].Name.Space != "" {
			return fmt.Errorf("%s: want text and the attribute %s", n.name.Local, a.Name)
		}
		if err := s.simples[a.Type].check(n.attrs[0].Value); err != nil {
			return wrap(n, err)
		}
		return wrap(n, s.simples[t.Simple.Base].check(n.text))
	}
	if len(n.attrs) > 0 || strings.TrimSpace(n.text) != "" {
		return fmt.Errorf("%s: elements only", n.name.Local)
	}
	if t.Choice != nil {
		return wrap(n, s.choice(n, t.Choice))
	}
	return wrap(n, s.sequence(n, t.Sequence))
}

func wrap(n *node, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", n.name.Local, err)
}

// run validates the elements of one declaration from a place on, and returns
// the place after them.
func (s *schema) run(n *node, e element, at int) (int, error) {
	least, most, count := 1, 1, 0
	if e.Min != "" {
		fmt.Sscan(e.Min, &least)
	}
	if e.Max == "unbounded" {
		most = len(n.children)
	} else if e.Max != "" {
		fmt.Sscan(e.Max, &most)
	}
	for at < len(n.children) && n.children[at].name == (xml.Name{Space: s.namespace, Local: e.Name}) {
		if count++; count > most {
			return at, fmt.Errorf("more than %d of %s", most, e.Name)
		}
		if err := s.element(n.children[at], e.Type); err != nil {
			return at, err
		}
		at++
	}
	if count < least {
		return at, fmt.Errorf("no %s", e.Name)
	}
	return at, nil
}

func (s *schema) sequence(n *node, g *group) error {
	at := 0
	for _, e := range g.Elements {
		var err error
		if at, err = s.run(n, e, at); err != nil {
			return err
		}
	}
	if at += len(g.Any); at > len(n.children) { // each takes one element of any name
		return errors.New("nothing for the wildcard")
	}
	if at < len(n.children) {
		return fmt.Errorf("%s does not belong there", n.children[at].name.Local)
	}
	return nil
}

func (s *schema) choice(n *node, g *group) error {
	for _, e := range g.Elements {
		if len(n.children) > 0 && n.children[0].name.Local == e.Name {
			at, err := s.run(n, e, 0)
			if err == nil && at != len(n.children) {
				err = fmt.Errorf("%s beside %s", n.children[at].name.Local, e.Name)
			}
			return err
		}
	}
	return errors.New("no alternative of the choice")
}

var decimalForm = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)$`)

// check says what is wrong with a text of the type.
func (t *simpleType) check(text string) error {
	if err := checkBase(t.Restriction.Base, text); err != nil {
		return err
	}
	digits := strings.TrimLeft(text, "+-")
	whole, fraction, _ := strings.Cut(digits, ".")
	fraction = strings.TrimRight(fraction, "0")
	whole = strings.TrimLeft(whole, "0")
	enumerated, found := false, false
	for _, f := range t.Restriction.Facets {
		var limit int
		fmt.Sscan(f.Value, &limit)
		ok := true
		switch f.XMLName.Local {
		case "enumeration":
			enumerated, found = true, found || text == f.Value
		case "minLength":
			ok = utf8.RuneCountInString(text) >= limit
		case "maxLength":
			ok = utf8.RuneCountInString(text) <= limit
		case "totalDigits":
			ok = len(whole)+len(fraction) <= limit
		case "fractionDigits":
			ok = len(fraction) <= limit
		case "minInclusive":
			if f.Value != "0" {
				return fmt.Errorf("minInclusive %s", f.Value)
			}
			ok = text[0] != '-' || whole+fraction == ""
		}
		if !ok {
			return fmt.Errorf("%q breaks %s %s of %s", text, f.XMLName.Local, f.Value, t.Name)
		}
	}
	matches := len(t.patterns) == 0
	for _, p := range t.patterns {
		matches = matches || p.MatchString(text)
	}
	if !matches || enumerated && !found {
		return fmt.Errorf("%q is no %s", text, t.Name)
	}
	return nil
}

func checkBase(base, text string) error {
	ok := false
	parses := func(layouts ...string) bool {
		return slices.ContainsFunc(layouts, func(layout string) bool { _, err := time.Parse(layout, text); return err == nil })
	}
	switch base {
	case "xs:string":
		ok = true
	case "xs:boolean":
		ok = slices.Contains([]string{"true", "false", "0", "1"}, text)
	case "xs:decimal":
		ok = decimalForm.MatchString(text)
	case "xs:date":
		ok = parses("2006-01-02", "2006-01-02Z07:00")
	case "xs:dateTime":
		ok = parses("2006-01-02T15:04:05", "2006-01-02T15:04:05Z07:00")
	case "xs:time":
		ok = parses("15:04:05", "15:04:05Z07:00")
	case "xs:gYearMonth":
		ok = parses("2006-01", "2006-01Z07:00")
	}
	if !ok {
		return fmt.Errorf("%q is no %s", text, base)
	}
	return nil
}

func readSchema(t testing.TB, version string) *schema {
	text, err := os.ReadFile("testdata/" + version + ".xsd")
	if err != nil {
		t.Fatal(err)
	}
	s, err := loadSchema(text)
	if err != nil {
		t.Fatal(err)
	}
	if s.namespace != "urn:iso:std:iso:20022:tech:xsd:"+version || len(s.complexes) < 80 || len(s.simples) < 50 {
		t.Fatalf("%s: %d complex and %d simple types of %s", version, len(s.complexes), len(s.simples), s.namespace)
	}
	return s
}
