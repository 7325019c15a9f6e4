package config

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/lakeproof/lakeproof/internal/fail"
)

// prefix begins the name of every variable that overrides a key.
const prefix = "LAKEPROOF_"

// expand replaces ${NAME} in every string of the file. $${ is a literal ${.
func expand(f *file, lookup Lookup) error {
	return eachString(reflect.ValueOf(f).Elem(), "", func(key, value string) (string, error) {
		out, err := expandText(value, lookup)
		if err != nil {
			return "", fail.Wrap(fmt.Errorf("%s: %w", key, err), fail.Usage, "")
		}
		return out, nil
	})
}

// eachString replaces every string below v.
func eachString(v reflect.Value, key string, replace func(key, value string) (string, error)) error {
	switch v.Kind() {
	case reflect.String:
		out, err := replace(key, v.String())
		if err != nil {
			return err
		}
		v.SetString(out)
	case reflect.Pointer:
		if !v.IsNil() {
			return eachString(v.Elem(), key, replace)
		}
	case reflect.Slice:
		for i := range v.Len() {
			if err := eachString(v.Index(i), fmt.Sprintf("%s[%d]", key, i), replace); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for field, value := range v.Fields() {
			if err := eachString(value, join(key, yamlName(field), "."), replace); err != nil {
				return err
			}
		}
	default:
	}
	return nil
}

func expandText(text string, lookup Lookup) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		if !found {
			out.WriteString(text)
			return out.String(), nil
		}
		if head, escaped := strings.CutSuffix(before, "$"); escaped {
			out.WriteString(head + "${")
			text = rest
			continue
		}
		name, tail, closed := strings.Cut(rest, "}")
		if !closed || name == "" {
			return "", fail.New(fail.Usage, "write ${NAME}, or $${ for the two characters themselves", "${ without a name and }")
		}
		value, ok := lookup(name)
		if !ok {
			return "", fail.New(fail.Usage, fmt.Sprintf("set it: export %s=...", name),
				"the environment variable %s is not set", name)
		}
		out.WriteString(before + value)
		text = tail
	}
}

// override replaces keys by the variables of the environment that are set and
// not empty, and reports whether there were any.
func override(f *file, lookup Lookup) (bool, error) {
	return overrideStruct(reflect.ValueOf(f).Elem(), "", lookup)
}

func overrideStruct(v reflect.Value, key string, lookup Lookup) (bool, error) {
	any := false
	for field, value := range v.Fields() {
		name := join(key, yamlName(field), ".")
		var set bool
		var err error
		if t := value.Type(); t.Kind() == reflect.Struct {
			set, err = overrideStruct(value, name, lookup)
		} else if t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct {
			set, err = overridePointer(value, name, lookup)
		} else if set, err = overrideValue(value, name, lookup); set {
			clearSibling(v, yamlName(field))
		}
		if err != nil {
			return false, err
		}
		any = any || set
	}
	return any, nil
}

// overridePointer makes the struct only when a variable sets something in it.
func overridePointer(v reflect.Value, key string, lookup Lookup) (bool, error) {
	target := reflect.New(v.Type().Elem())
	if !v.IsNil() {
		target = v
	}
	set, err := overrideStruct(target.Elem(), key, lookup)
	if set {
		v.Set(target)
	}
	return set, err
}

func overrideValue(v reflect.Value, key string, lookup Lookup) (bool, error) {
	name := variable(key)
	text, ok := lookup(name)
	if !ok || text == "" {
		return false, nil
	}
	switch target := v.Addr().Interface().(type) {
	case *string:
		if strings.HasSuffix(key, "_file") {
			path, err := filepath.Abs(text) // the folder of the file does not matter here
			if err != nil {
				return false, fmt.Errorf("reading %s: %w", name, err)
			}
			text = path
		}
		*target = text
	case *[]string:
		*target = strings.Split(strings.ReplaceAll(text, " ", ""), ",")
	case *bool, **bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return false, fail.New(fail.Usage, "write true or false", "reading %s: %q is not a truth value", name, text)
		}
		if p, ok := target.(**bool); ok {
			*p = &b
		} else {
			v.SetBool(b)
		}
	default: // lists of structs have no variable
		return false, nil
	}
	return true, nil
}

// clearSibling forgets the other way to give the same secret: key for
// key_file, key_file for key.
func clearSibling(v reflect.Value, name string) {
	other := name + "_file"
	if base, isFile := strings.CutSuffix(name, "_file"); isFile {
		other = base
	}
	for field, value := range v.Fields() {
		if yamlName(field) == other {
			value.SetZero()
		}
	}
}

// variable is the name of the variable that overrides a key.
func variable(key string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

func yamlName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

func join(a, b, sep string) string {
	if a == "" {
		return b
	}
	return a + sep + b
}
