/** Something made on the host whose name cannot be derived from a record; written before it is made. */
export interface ResourceRecord {
  readonly kind: string;
  readonly name: string;
  readonly owner: string;
  readonly state: "intended" | "present";
}
