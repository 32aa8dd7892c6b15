/** Help of `--format` of commands that print lists. */
export const listFormat = `How to print each row (default: a table):
table            The usual columns
table TEMPLATE   Columns of a Go template
json             One JSON object a line
TEMPLATE         A Go template, such as '{{.ID}}'`;

/** Help of `--format` of commands that print one object. */
export const objectFormat = `How to print each result:
json             As JSON
TEMPLATE         A Go template, such as '{{json .}}'`;
