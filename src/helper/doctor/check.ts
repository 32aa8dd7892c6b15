/** What can be done about a check without asking anybody. */
export type Repair =
  | { readonly type: "install"; readonly packages: readonly string[] }
  /** A v2 controller of a hybrid host gets a v1 hierarchy, as the others have. */
  | { readonly type: "mount-controller"; readonly controller: string };

export interface Check {
  readonly name: string;
  /** `info` is told only; `warn` works, but less well; `missing` keeps the engine from working. */
  readonly status: "ok" | "info" | "warn" | "missing";
  readonly detail: string;
  /** What a person does about it. */
  readonly advice?: string;
  readonly repair?: Repair;
}
