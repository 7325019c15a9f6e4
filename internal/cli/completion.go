package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"The shell: bash, zsh or fish."`
}

// Help implements kong.HelpProvider.
func (*completionCmd) Help() string {
	return `Examples:

    source <(lakeproof completion bash)
    source <(lakeproof completion zsh)
    lakeproof completion fish > ~/.config/fish/completions/lakeproof.fish`
}

// Run implements the command.
func (c *completionCmd) Run(a *app, parser *kong.Kong) error {
	commands := flatten(parser.Model.Node, nil)
	switch c.Shell {
	case "zsh": // zsh runs the functions of bash
		return a.print("autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n" + bash(commands))
	case "fish":
		return a.print(fish(commands))
	default:
		return a.print(bash(commands))
	}
}

// command is one command with what may follow it.
type command struct {
	path  string // "loadtest run"; "" is the program itself
	words []word // subcommands, flags and values
}

// word is one thing to complete.
type word struct{ text, help string }

// flatten lists a command and those below it. Flags are inherited.
func flatten(n *kong.Node, inherited []word) []command {
	flags := slices.Clone(inherited)
	for _, f := range n.Flags {
		if !f.Hidden {
			flags = append(flags, word{"--" + f.Name, f.Help})
		}
	}
	c := command{}
	if n.Parent != nil {
		c.path = strings.TrimPrefix(n.Path(), "lakeproof ")
	}
	var below []command
	for _, child := range n.Children {
		if child.Hidden {
			continue
		}
		c.words = append(c.words, word{child.Name, child.Help})
		below = append(below, flatten(child, flags)...)
	}
	for _, p := range n.Positional {
		for _, value := range values(p) {
			c.words = append(c.words, word{value, p.Help})
		}
	}
	c.words = append(c.words, flags...)
	return append([]command{c}, below...)
}

// values are those that an argument can have, where they are known.
func values(v *kong.Value) []string {
	if v.Enum == "" {
		return nil
	}
	return strings.Split(v.Enum, ",")
}

func bash(commands []command) string {
	var b strings.Builder
	b.WriteString(`_lakeproof() {
  local cur="${COMP_WORDS[COMP_CWORD]}" path="" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${path:+$path }${COMP_WORDS[i]}" in
`)
	var paths []string
	for _, c := range commands[1:] {
		paths = append(paths, fmt.Sprintf("%q", c.path))
	}
	fmt.Fprintf(&b, "      %s) path=\"${path:+$path }${COMP_WORDS[i]}\" ;;\n", strings.Join(paths, "|"))
	b.WriteString("    esac\n  done\n  case \"$path\" in\n")
	for _, c := range commands {
		texts := make([]string, len(c.words))
		for i, w := range c.words {
			texts[i] = w.text
		}
		fmt.Fprintf(&b, "    %q) words=%q ;;\n", c.path, strings.Join(texts, " "))
	}
	b.WriteString(`  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _lakeproof lakeproof
`)
	return b.String()
}

func fish(commands []command) string {
	var b strings.Builder
	for _, c := range commands {
		names := strings.Fields(c.path)
		condition := "__fish_use_subcommand"
		if len(names) > 0 {
			condition = "__fish_seen_subcommand_from " + names[0]
		}
		if len(names) > 1 {
			condition += "; and __fish_seen_subcommand_from " + names[1]
		}
		for _, w := range c.words {
			help := strings.ReplaceAll(w.help, "'", `\'`)
			if flag, ok := strings.CutPrefix(w.text, "--"); ok {
				fmt.Fprintf(&b, "complete -c lakeproof -n '%s' -l %s -d '%s'\n", condition, flag, help)
				continue
			}
			fmt.Fprintf(&b, "complete -c lakeproof -n '%s' -a %s -d '%s'\n", condition, w.text, help)
		}
	}
	return b.String()
}
