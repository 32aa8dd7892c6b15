/** Something of an image that is not as it should be. */
export interface Damage {
  readonly object: "config" | "manifest" | "index" | "artifact" | "layer" | "blob" | "record";
  /** Of the blob; of a layer its diff id. */
  readonly digest: string;
  readonly state: "damaged" | "missing";
  /** A clause without its subject: `its archive has another digest`. */
  readonly reason: string;
  /** Where it lies, or should. */
  readonly file: string;
}

/** What was looked at, for one image or for all that no image names. */
export interface Verified {
  readonly layers: number;
  readonly blobs: number;
  readonly sizeBytes: number;
  readonly damages: readonly Damage[];
}

export interface VerifiedImage extends Verified {
  readonly id: string;
  /** `repository:tag` in familiar form. */
  readonly tags: readonly string[];
  /** A registry is known to have it. */
  readonly isInRegistry: boolean;
}

export interface VerifyReport {
  readonly images: readonly VerifiedImage[];
  /** Layers and blobs that no image names; absent when certain images were asked for. */
  readonly others?: Verified;
}
