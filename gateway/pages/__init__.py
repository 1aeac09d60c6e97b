"""The plain pages: server-rendered, no script needed."""
from flask import Blueprint, Response
blueprint = Blueprint("pages", __name__)
def refusal_page(refusal): return Response("no", status=400)
def fault_page(): return Response("no", status=500)
