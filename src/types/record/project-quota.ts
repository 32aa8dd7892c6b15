/** A limit that the file system itself keeps: of all files that belong to one of its projects. */
export interface ProjectQuota {
  /** Of the project, in the range of the instance. */
  readonly id: number;
  readonly sizeBytes: number;
}
