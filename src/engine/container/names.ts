import { EngineError } from "#lib/errors.ts";

/** Names of containers and volumes. Source: Engine API, ContainerCreate, parameter `name`. */
const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** @throws {EngineError} `invalid` with Docker's text; the name without a leading slash otherwise */
export function parseContainerName(text: string): string {
  const name = text.startsWith("/") ? text.slice(1) : text;
  if (!namePattern.test(name)) {
    throw new EngineError("invalid", `Invalid container name (${text}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
  }
  return name;
}

const adjectives =
  "amber bold brave breezy bright brisk calm candid cheerful clever cosy crisp curious daring deft eager earnest easy fair fearless fleet fond frank fresh gallant gentle glad golden graceful happy hardy honest jolly jovial keen kind lively loyal lucid lucky mellow merry mighty mild modest neat nimble noble patient placid plucky polite proud quick quiet rapid ready serene sharp sincere smart snug sober spry steady sturdy sunny swift tender tidy tranquil trusty upbeat vivid warm wise witty zesty".split(
    " ",
  );
const surnames =
  "abbott airy babbage banneker bell bohr boole borg brahe braun carver cerf chandra codd conway cray curie darwin dijkstra dirac edison euclid euler faraday fermat fermi franklin galileo galois gauss germain goodall hamilton harvey hertz hopper huygens hypatia jones joule kepler khayyam knuth kovalevsky lamarr laplace leavitt leibniz linnaeus lovelace maxwell mccarthy meitner mendel mirzakhani newton nobel noether pasteur pauli perlman planck poincare ptolemy ramanujan ritchie rosalind sagan shannon snow stallman tesla thompson torvalds turing volta wiles wilson wright yalow".split(
    " ",
  );

/** A name such as jovial_jones that is not taken; after some tries a digit is added. */
export function inventName(isTaken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt++) {
    const suffix = attempt < 6 ? "" : String(Math.floor(Math.random() * 10 ** (attempt - 5)));
    const name = `${pick(adjectives)}_${pick(surnames)}${suffix}`;
    if (!isTaken(name)) return name;
  }
}

function pick(words: readonly string[]): string {
  return words[Math.floor(Math.random() * words.length)] ?? "jovial";
}
