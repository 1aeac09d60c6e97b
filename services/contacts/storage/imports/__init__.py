"""What imports keep, in the order in which a file goes through it.

* ``imports``: the import itself, how far it has come, and who works on it
* ``files``: the pieces of the file, and then its rows, staged in blocks
* ``questions``: what a block of rows asks of the database
* ``outcomes``: what becomes, or became, of each row
* ``refused``: cells of rows that were refused or wait to be decided
* ``writing``: the records that a block brings
* ``effects``: what was done, for undoing it
* ``undoing``: taking it back
* ``set_aside``: people on whom a hold stands while an import is undone
* ``traces``: erasing a person from all of these
"""
