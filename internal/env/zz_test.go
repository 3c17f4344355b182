package env
import ("testing";"time";"fmt";"os")
func TestZZ(t *testing.T){
 f:=os.Getenv("ZZLOCK"); if f=="" {t.Skip("x")}
 b,_:=os.ReadFile(f)
 l,err:=ReadLock(f,b); if err!=nil{t.Fatal(err)}
 s:=newStore(t); st:=time.Now()
 e,err:=s.Ensure(t.Context(),l,Options{Progress:stamp{st}}); if err!=nil{t.Fatal(err)}
 if o:=os.Getenv("ZZOUT");o!=""{ os.CopyFS(o,os.DirFS(s.Dir+"/"+e.ID)) }
 fmt.Println(time.Since(st), e.Tree, e.Files, e.Bytes>>20, e.Tool); st=time.Now()
 if err:=s.Verify(t.Context(),e);err!=nil{t.Fatal(err)}; fmt.Println("verify",time.Since(st)); st=time.Now()
 _,err=s.Ensure(t.Context(),l,Options{}); fmt.Println("hit",time.Since(st),err)
}
type stamp struct{t time.Time}
func (s stamp) Write(p []byte)(int,error){fmt.Printf("%6.2f %s",time.Since(s.t).Seconds(),p);return len(p),nil}
