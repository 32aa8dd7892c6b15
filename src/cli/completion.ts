import { command, exactly, type Command, type Invocation, type Leaf } from "./command.ts";
import { ExitError } from "./errors.ts";
import { flagName } from "./flags.ts";

/** Every shell's script asks the program itself: `PROGRAM __complete WORDS…`, one candidate a line, with its description after a tab. */
const scripts: Readonly<Record<string, (program: string) => string>> = {
  bash: (program) => `# ${program} completion bash > /etc/bash_completion.d/${program}
_${program}_complete() {
    local IFS=$'\\n'
    COMPREPLY=($(compgen -W "$("\${COMP_WORDS[0]}" __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _${program}_complete ${program}
`,
  zsh: (program) => `#compdef ${program}
_${program}() {
    local -a candidates
    candidates=("\${(@f)$(\${words[1]} __complete "\${(@)words[2,CURRENT]}" 2>/dev/null | sed -e 's/:/\\\\:/g' -e 's/\\t/:/')}")
    _describe '${program}' candidates || _files
}
compdef _${program} ${program}
`,
  fish: (program) => `function __${program}_complete
    set -l words (commandline -opc) (commandline -ct)
    ${program} __complete $words[2..-1] 2>/dev/null
end
complete -c ${program} -f -a '(__${program}_complete)'
`,
};

export const completion = command({
  usage: "bash|zsh|fish",
  args: exactly(1),
  examples: ["completion bash > /etc/bash_completion.d/gantry"],
  flags: {},
  run: async ({ args, program, out }) => {
    const script = scripts[args[0] ?? ""];
    if (!script) throw new ExitError(1, `unknown shell ${JSON.stringify(args[0] ?? "")}: bash, zsh and fish are known`);
    await out.write(script(program));
  },
});

export const complete = command({
  usage: "[WORD...]",
  args: { minimum: 0, maximum: Infinity },
  stopAtFirstArgument: true,
  flags: {},
  run: async (invocation) => {
    const candidates = await candidatesFor(invocation.args, invocation);
    await invocation.out.write(candidates.map((candidate) => `${candidate}\n`).join(""));
  },
});

/** @param words  the command line after the program's name; the last one is being typed */
export async function candidatesFor(words: readonly string[], invocation: Pick<Invocation, "client">): Promise<readonly string[]> {
  const { commonCommands, findIn, findTop, groups, otherCommands } = await import("./commands.ts");
  const typed = words.at(-1) ?? "";
  const [first, second] = words;
  const described = (all: readonly { readonly name: string; readonly summary: string; readonly isHidden?: boolean }[]): readonly string[] =>
    all.filter((one) => !one.isHidden && one.name.startsWith(typed)).map((one) => `${one.name}\t${one.summary}`);
  if (words.length <= 1) return described([...commonCommands, ...groups, ...otherCommands]);
  const top = findTop(first ?? "");
  if (!top) return [];
  if ("children" in top && words.length === 2) return described(top.children);
  const leaf = "children" in top ? findIn(top, second ?? "") : top;
  return leaf ? argumentsOf(leaf, typed, invocation) : [];
}

async function argumentsOf(leaf: Leaf, typed: string, { client }: Pick<Invocation, "client">): Promise<readonly string[]> {
  const command = await leaf.load();
  if (typed.startsWith("-")) {
    return Object.entries(command.flags)
      .filter(([, flag]) => !flag.hidden)
      .map(([key, flag]) => `--${flagName(key)}\t${flag.usage.split("\n", 1)[0] ?? ""}`)
      .filter((candidate) => candidate.startsWith(typed));
  }
  try {
    return (await namesFor(command.completes, client)).filter((name) => name.startsWith(typed));
  } catch {
    return []; // no daemon: nothing to suggest
  }
}

async function namesFor(kind: Command["completes"], client: Invocation["client"]): Promise<readonly string[]> {
  switch (kind) {
    case "containers":
    case "running": {
      const containers = (await client.containers.list({ all: kind === "containers" })) ?? [];
      return containers.flatMap(({ Names }) => (Names ?? []).map((name) => name.replace(/^\//, "")));
    }
    case "images":
      return ((await client.images.list({})) ?? []).flatMap(({ RepoTags }) => RepoTags ?? []);
    case "networks":
      return (await client.networks.list()).map(({ Name }) => Name);
    case "volumes":
      return ((await client.volumes.list()).Volumes ?? []).map(({ Name }) => Name);
    default:
      return [];
  }
}
