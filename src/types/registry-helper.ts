import type { Platform } from "./oci/image.ts";

/** What a person's command asks of a registry. `auth` is the value of X-Registry-Auth; it never comes as an argument. */
export type RegistryRequest = FetchRequest | PushRequest;

interface Access {
  /** The registry may be spoken to without verified TLS, and without any. */
  readonly insecure: boolean;
  readonly auth?: string;
}

export interface FetchRequest extends Access {
  readonly action: "fetch";
  /** With tag or digest. */
  readonly reference: string;
}

/** A manifest as it was fetched. Bytes are base64. */
export interface FetchedDocument {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: string;
  readonly platform: Platform;
}

export type FetchReply =
  | { readonly kind: "manifest"; readonly document: FetchedDocument }
  | { readonly kind: "index"; readonly documents: readonly FetchedDocument[] };

export interface PushRequest extends Access {
  readonly action: "push";
  /** With a tag: the list's. */
  readonly target: string;
  /** Manifests of other repositories of the same registry, with the blobs they are made of. */
  readonly manifests: readonly {
    readonly digest: string;
    readonly mediaType: string;
    readonly bytes: string;
    readonly from: string;
    readonly blobs: readonly string[];
  }[];
  readonly list: { readonly mediaType: string; readonly bytes: string };
}
