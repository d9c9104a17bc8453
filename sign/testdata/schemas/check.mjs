// check.mjs SCHEMAS ASYNCAPI: reads {"schema","value"} a line and answers {"errors":[…]} a line; the first line of
// answers is for the AsyncAPI file itself. Formats are left alone.
import fs from 'node:fs'
import path from 'node:path'
import readline from 'node:readline'
import { createRequire } from 'node:module'
import Ajv from 'ajv'
import Ajv2020 from 'ajv/dist/2020.js'
import YAML from 'yaml'

const [schemas, asyncapi] = process.argv.slice(2)
const ajv = new Ajv2020({ strict: true, allErrors: true, strictRequired: false })
for (const file of fs.readdirSync(schemas)) ajv.addSchema(JSON.parse(fs.readFileSync(path.join(schemas, file))), file)

const errors = (validate, value) => (validate(value) ? [] : validate.errors.map((e) => `${e.instancePath} ${e.message}`))
const document = YAML.parse(fs.readFileSync(asyncapi, 'utf8'))
const spec = createRequire(import.meta.url)('@asyncapi/specs').schemas['3.0.0']
const found = errors(new Ajv({ strict: false, meta: false, validateSchema: false, validateFormats: false }).compile(spec), document)
const refs = []
JSON.stringify(document, (key, value) => { if (key === '$ref') refs.push(value); return value })
for (const ref of refs) {
  const [file, at] = ref.split('#')
  const root = file ? JSON.parse(fs.readFileSync(path.join(path.dirname(asyncapi), file))) : document
  const target = (at ?? '').split('/').slice(1).reduce((o, k) => o?.[k.replaceAll('~1', '/')], root)
  if (target === undefined) found.push(`${ref} leads nowhere`)
}
console.log(JSON.stringify({ errors: found, refs: refs.length }))
for await (const line of readline.createInterface({ input: process.stdin })) {
  const { schema, value } = JSON.parse(line)
  console.log(JSON.stringify({ errors: errors(ajv.getSchema(`${schema}.json`), value) }))
}
