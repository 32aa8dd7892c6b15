import { command, between } from "../command.ts";
import { ExitError } from "../errors.ts";
import { bool, list, text } from "../flag-kinds.ts";
import { checkReference, parseReference } from "../image/reference.ts";

export const commit = command({
  usage: "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
  args: between(1, 2),
  completes: "containers",
  flags: {
    author: text("a", "Who has made the image, such as 'Ada <ada@example.com>'"),
    change: list("c", "Change the config of the image, by an instruction of a Dockerfile"),
    message: text("m", "What this image is about"),
    pause: bool("p", "Freeze the container while its files are read", { initially: true }),
  },
  examples: ["commit -m 'with curl' web web:curl", "commit -c 'CMD [\"nginx\"]' -c 'EXPOSE 80' web web:2"],
  run: async ({ args, flags, client, out }) => {
    const [container = "", name = ""] = args;
    if (name !== "") checkReference(name);
    const reference = name === "" ? undefined : parseReference(name);
    if (name !== "" && !reference) throw new ExitError(1, "invalid reference format");
    if (reference?.digest) throw new ExitError(1, "refusing to create a tag with a digest reference");
    const id = await client.containers.commit({
      container,
      repository: reference?.name ?? "",
      tag: reference ? (reference.tag ?? "latest") : "",
      author: flags.author,
      comment: flags.message,
      changes: flags.change,
      pause: flags.pause,
    });
    await out.line(id);
  },
});
