const link = "Refer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates";

/** Help of `--format` of commands that print lists. */
export const listFormat = `Format output using a custom template:
'table':            Print output in table format with column headers (default)
'table TEMPLATE':   Print output in table format using the given Go template
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template.
${link}`;

/** Help of `--format` of commands that print one object. */
export const objectFormat = `Format output using a custom template:
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template.
${link}`;
