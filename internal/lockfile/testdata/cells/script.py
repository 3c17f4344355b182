# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "httpx==0.25.2",
#   "rich",
# ]
# ///
import httpx

# %%
# !pip install orjson==3.9.10
# + tags
get_ipython().system('pip install attrs')
