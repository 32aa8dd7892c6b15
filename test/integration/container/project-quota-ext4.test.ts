import { projectQuotaContract } from "./project-quota.ts";

projectQuotaContract("ext4 with project quotas");
