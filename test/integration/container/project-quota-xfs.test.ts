import { projectQuotaContract } from "./project-quota.ts";

projectQuotaContract("xfs with project quotas");
