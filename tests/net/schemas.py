"""Judges requests of EWS by the schemas: schemas.py SCHEMAS FOLDER."""
import pathlib
import shutil
import sys
import tempfile

from lxml import etree

schemas, requests = map(pathlib.Path, sys.argv[1:])
NAMESPACE = ('<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.w3.org/XML/1998/namespace">'
             '<xs:attribute name="lang" type="xs:language"/></xs:schema>')
with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    types = (schemas / "Types.xsd").read_text(encoding="utf-8-sig")
    # The schema imports this namespace without saying from where.
    imported = '<xs:import namespace="http://www.w3.org/XML/1998/namespace"'
    (folder / "types.xsd").write_text(types.replace(imported, imported + ' schemaLocation="xml.xsd"'), encoding="utf-8")
    shutil.copy(schemas / "Messages.xsd", folder)
    (folder / "xml.xsd").write_text(NAMESPACE)
    schema = etree.XMLSchema(etree.parse(folder / "Messages.xsd"))
valid = 0
for path in sorted(requests.iterdir()):
    body = etree.parse(path, etree.XMLParser(huge_tree=True)).getroot()[-1]
    document = etree.ElementTree(etree.fromstring(etree.tostring(body[0]), etree.XMLParser(huge_tree=True)))
    if schema.validate(document):
        valid += 1
    else:
        print(path.name, document.getroot().tag, schema.error_log.last_error)
print(valid, "valid")
